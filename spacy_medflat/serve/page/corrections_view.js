// What was judged: as a list, as a file, to the service, and back into training.

import { countVerdicts, toLines, toRecord } from "./corrections.js";
import { el, find, save, setOptions } from "./dom.js";
import { number, t, word } from "./language.js";
import { attempt, say, showError } from "./messages.js";

const FORMATS = ["jsonl", "doccano", "labelstudio", "brat"];
const SUFFIXES = { jsonl: "jsonl", doccano: "jsonl", labelstudio: "json", brat: "zip" };

// What brings a file back: of other formats, what their tool exports.
const COMMANDS = {
  jsonl: [],
  doccano: ["python -m spacy medflat convert doccano_export.jsonl corrections.jsonl --from doccano"],
  labelstudio: ["python -m spacy medflat convert labelstudio_export.json corrections.jsonl --from labelstudio"],
  brat: ["unzip corrections.zip -d corrections", "python -m spacy medflat convert corrections corrections.jsonl --from brat"],
};
const TRAIN = [
  "python -m spacy medflat check-data corrections.jsonl",
  "cat train.jsonl corrections.jsonl > train_2.jsonl",
  "python -m spacy medflat train configs/default.cfg --output training \\\n  --paths.train train_2.jsonl --paths.dev dev.jsonl",
];

export const commandsFor = format => [...COMMANDS[format], ...TRAIN].join("\n");

// open: shows a note that was judged.
export function startCorrections(app, open) {
  const format = () => find("format").value || "jsonl";
  const all = () => [...app.judged.values()];

  const draw = () => {
    find("no-corrections").hidden = app.judged.size > 0;
    find("collected").hidden = !app.judged.size;
    find("corrections").replaceChildren(...[...app.judged].map(([key, one]) => {
      const { finished, sent } = one.judgement;
      const state = [t(finished ? "corrections.finished" : "corrections.unfinished"), sent && t("corrections.sent")];
      return el("li", {},
        el("button", { type: "button", class: "link", "aria-label": t("corrections.open", { id: one.id }), click: () => open(one) }, one.id),
        el("span", { class: "figures" }, t("corrections.counts", countVerdicts(one.judgement))),
        el("i", {}, state.filter(Boolean).join(", ")),
        el("button", { type: "button", class: "link", "aria-label": t("corrections.remove", { id: one.id }), click: () => app.forget(key) }, "✕"));
    }));
    update();
    if (!app.isKept) showError(t("corrections.full"));
  };

  const update = () => {
    const open = all().filter(({ judgement }) => !judgement.finished).length;
    const losing = format() !== "jsonl" && open > 0;
    const twice = app.pipeline?.corrections?.stored && all().some(({ judgement }) => judgement.sent);
    find("export-warning").hidden = !losing && !twice;
    find("export-warning").textContent = losing ? t("export.unknown", { count: number(open) }) : t("export.twice");
    find("command").textContent = commandsFor(format());
  };

  const name = () => {
    if (!app.pipeline) return;
    const known = FORMATS.filter(one => (app.pipeline.export ?? FORMATS).includes(one));
    setOptions(find("format"), known.map(one => [one, word("format", one)]));
    find("send").hidden = !app.pipeline.corrections?.stored;
    const floor = (app.pipeline.floor ?? 0.05).toFixed(2);
    const rules = ["finished", "unfinished", "unknown", "facts"].map(rule => el("li", {}, t(`rules.${rule}`, { floor })));
    find("rules").replaceChildren(...rules);
    draw();
  };

  const download = () => attempt(async () => {
    const records = all().map(toRecord);
    const done = await fileOf(app.service, format(), records);
    const name = done.name ?? `corrections.${SUFFIXES[format()]}`;
    save(done.blob, name);
    app.saved();
    say(t("export.saved", { count: number(records.length), name }));
  });

  const send = () => attempt(async () => {
    const unsent = all().filter(({ judgement }) => !judgement.sent);
    if (unsent.length) await app.service.json("corrections", { method: "POST", body: { records: unsent.map(toRecord) } });
    // What was judged while the request was under way is not sent.
    for (const one of unsent) if (all().includes(one)) one.judgement = { ...one.judgement, sent: true };
    app.saved();
    say(t("export.sent", { count: number(unsent.length) }));
  });

  find("format").addEventListener("change", update);
  find("export").addEventListener("click", download);
  find("send").addEventListener("click", send);
  // Browsers give the clipboard to pages of this machine, and of https, only.
  find("copy").addEventListener("click", async () => {
    const copied = await navigator.clipboard?.writeText(find("command").textContent).then(() => true, () => false);
    if (!copied) getSelection().selectAllChildren(find("command"));
    say(t(copied ? "export.copied" : "export.selected"));
  });
  app.on("judged", draw);
  app.on("pipeline language", name);
}

// A file of the service; JSON lines can be made without it, so that no work is lost when it is gone.
async function fileOf(service, format, records) {
  try {
    return await service.file(`export?format=${format}`, { method: "POST", body: { records } });
  } catch (error) {
    if (format !== "jsonl" || error.code !== "offline") throw error;
    return { blob: new Blob([toLines(records)], { type: "application/x-ndjson" }), name: "corrections.jsonl" };
  }
}
