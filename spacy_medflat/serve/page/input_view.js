// Where notes come from: pasted, dropped, opened, or an example.

import { find, setOptions } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { showError } from "./messages.js";
import { language, number, t } from "./language.js";
import { decode, parseNotes, withoutSuffix } from "./notes.js";
import { isWellFormed, Offsets } from "./offsets.js";

// show: takes the notes.
export function startInput(app, show) {
  const source = find("source");
  const read = () => take(parseNotes(source.value));
  const take = ({ notes, bad }, problems = []) => {
    const all = [...problems, ...(bad.length ? [t("input.bad", { lines: bad.slice(0, 20).join(", ") })] : [])];
    const { fit, unfit } = fitting(notes, app.pipeline?.limits ?? {});
    if (!notes.length && !all.length) all.push(t("input.empty"));
    show(fit);
    if (all.length + unfit.length) showError([...all, ...unfit].join(" "));
  };
  const open = async files => {
    const { notes, bad, problems } = await readFiles([...files]);
    if (notes.length === 1) source.value = notes[0].text;
    else if (notes.length) source.value = "";
    take({ notes, bad }, problems);
  };
  find("read").addEventListener("click", read);
  source.addEventListener("paste", () => setTimeout(read));
  source.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) read();
  });
  find("files").addEventListener("change", async event => {
    await open(event.target.files);
    event.target.value = "";
  });
  find("example").addEventListener("change", event => {
    const example = EXAMPLES.find(({ id }) => id === event.target.value);
    if (!example) return;
    source.value = example.text;
    take({ notes: [{ id: example.id, text: example.text }], bad: [] });
  });
  startDrop(open);
  const name = () => {
    setOptions(find("example"), [["", t("input.choose")], ...EXAMPLES.map(one => [one.id, one.name[language()]])]);
  };
  app.on("language", name);
  name();
}

// Files may be dropped anywhere: a browser would else leave the page to show one.
function startDrop(open) {
  addEventListener("dragover", event => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("drop");
  });
  addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("drop"); });
  addEventListener("drop", event => {
    document.body.classList.remove("drop");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    open(event.dataTransfer.files);
  });
}

async function readFiles(files) {
  const notes = [], bad = [], problems = [];
  for (const file of files) {
    const content = decode(new Uint8Array(await file.arrayBuffer()));
    if (content === null) {
      problems.push(t("input.undecoded", { name: file.name }));
      continue;
    }
    const parsed = parseNotes(content, withoutSuffix(file.name));
    notes.push(...parsed.notes);
    bad.push(...parsed.bad.map(line => `${file.name}:${line}`));
  }
  return { notes, bad, problems };
}

// The notes that the service would take, and sentences about the others.
function fitting(notes, { text_characters: longest = Infinity, texts: most = Infinity }) {
  const fit = [], unfit = [];
  for (const note of notes.slice(0, most)) {
    const count = new Offsets(note.text).characters;
    if (count > longest) {
      unfit.push(t("input.long", { name: note.id, count: number(count), limit: number(longest) }));
    } else if (!isWellFormed(note.text)) unfit.push(t("input.unsuitable", { name: note.id }));
    else if (note.text.trim()) fit.push(note);
  }
  if (notes.length > most) unfit.push(t("input.many", { count: number(notes.length), limit: number(most) }));
  return { fit, unfit: unfit.slice(0, 5) };
}
