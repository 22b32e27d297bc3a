// A text that was selected or typed: as a word of the lexicon, or as a new span of the note.

import { el, find, setOptions } from "./dom.js";
import { number, t } from "./language.js";
import { attempt, say } from "./messages.js";
import { Offsets } from "./offsets.js";
import { readAgain } from "./reading.js";
import { addSpan } from "./selection.js";
import { nameOf } from "./span_dialog.js";

const LONGEST = 64;

export function startWords(app) {
  const term = find("term");
  // Where the text was selected; null if it was typed.
  let picked = null;
  let searches = 0;

  const places = () => {
    const { note } = app;
    const found = note && term.value ? placesOf(note, term.value) : [];
    const options = found.map((start, i) => [String(start), `${i + 1} / ${found.length} (${number(start)})`]);
    setOptions(find("span-place"), options.length ? options : [["", t("words.nowhere")]]);
    if (picked !== null && found.includes(picked)) find("span-place").value = String(picked);
    find("add-span").disabled = !found.length;
  };

  const search = async () => {
    const query = term.value.trim();
    searches += 1;
    const own = searches;
    if (!app.pipeline?.lexicon) return null;
    // Nobody asked for it in so many words: no error is shown.
    const found = await app.service.json(`lexicon?query=${encodeURIComponent(query)}&limit=6`).catch(() => null);
    if (!found || own !== searches) return null;
    // Without a text, those that users added.
    const wanted = query ? found.words : found.words.filter(({ user }) => user);
    if (!query && !wanted.length) return find("known").replaceChildren();
    const nearest = wanted.sort((a, b) => (b.word === query) - (a.word === query));
    const items = nearest.map(({ word, type, user }) => el("li", {}, `${word} ${typeName(app, type)} `,
      user && app.pipeline.lexicon.editable && el("button", { type: "button", click: () => remove(word) }, t("words.remove", { word }))));
    const title = t(!items.length ? "words.unknown" : query ? "words.known" : "words.own");
    return find("known").replaceChildren(el("li", {}, title), ...items);
  };

  const changeLexicon = async (method, body, sentence) => attempt(async () => {
    const done = await app.service.json("lexicon", { method, body });
    app.versions = done.versions ?? app.versions;
    const change = await readAgain(app);
    app.fresh = new Set(change?.come.map(mark => mark.key));
    app.tell("answer");
    showChange(app, change);
    say([sentence, change && t("changes.said", { come: change.come.length, gone: change.gone.length })].filter(Boolean).join(" "));
    await search();
  });

  const remove = word => changeLexicon("DELETE", { words: [word] }, t("words.removed", { word }));

  const addWord = () => {
    const word = term.value.trim();
    if (!word) return hint(t("words.empty"));
    if (new Offsets(word).characters > LONGEST || /[\0-\x1f\x7f]/.test(word)) return hint(t("words.long"));
    const body = { words: [{ word, type: find("word-type").value }] };
    return changeLexicon("POST", body, t("words.added", { word }));
  };

  const hint = sentence => {
    find("known").replaceChildren(el("li", { class: "warning" }, sentence));
    say(sentence);
    term.focus();
  };

  const mark = () => {
    const start = Number(find("span-place").value);
    if (!term.value || find("span-place").value === "") return hint(t("words.empty"));
    const end = start + new Offsets(term.value).characters;
    return addSpan(app, { start, end, label: find("span-label").value, text: term.value });
  };

  const name = () => {
    if (!app.pipeline) return;
    const labels = app.labels.map(label => [label, nameOf(app, label)]);
    setOptions(find("span-label"), labels);
    // A type of the lexicon may be no label of the pipeline.
    const types = (app.pipeline.lexicon?.types ?? []).filter(type => type && type !== "none" && !app.labels.includes(type));
    const others = types.map(type => [type, type]);
    setOptions(find("word-type"), [...labels, ...others, ["none", t("words.none")], ["", t("words.untyped")]]);
    const locked = !app.pipeline.lexicon?.editable;
    find("word-form").disabled = locked;
    find("locked").hidden = !locked;
    places();
    search();
  };

  let timer = 0;
  term.addEventListener("input", () => {
    picked = null;
    places();
    clearTimeout(timer);
    timer = setTimeout(search, 250);
  });
  term.addEventListener("keydown", event => { if (event.key === "Enter") addWord(); });
  find("add-word").addEventListener("click", addWord);
  find("add-span").addEventListener("click", mark);
  app.on("picked", ({ text, start }) => {
    term.value = text.replace(/\s*\n\s*/g, " ");
    picked = start;
    places();
    search();
  });
  app.on("pipeline language", name);
  app.on("note", () => {
    app.fresh = new Set();
    find("changes").hidden = true;
    places();
  });
}

// The characters where a text begins in a note.
export function placesOf(note, text, most = 200) {
  const found = [];
  for (let unit = note.text.indexOf(text); unit >= 0 && found.length < most; unit = note.text.indexOf(text, unit + 1)) {
    found.push(note.offsets.toCharacters(unit));
  }
  return found;
}

const typeName = (app, type) => (type === "none" ? t("words.none") : type === "" ? t("words.untyped") : nameOf(app, type));

function showChange(app, change) {
  find("changes").hidden = !change;
  if (!change) return;
  const text = mark => app.note.text.slice(mark.from, mark.to);
  const item = (kind, mark) => el("li", { class: kind, style: { "--colour": app.colour(mark.label) } },
    `${t(`changes.${kind}`)}: `, el("b", { class: "chip" }, mark.label), ` ${text(mark)}`);
  const items = [...change.come.map(mark => item("come", mark)), ...change.gone.map(mark => item("gone", mark))];
  find("changes").querySelector("ul").replaceChildren(...(items.length ? items.slice(0, 20) : [el("li", {}, t("changes.none"))]));
}
