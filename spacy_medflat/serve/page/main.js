// The page of `spacy medflat serve`.

import { App } from "./app.js";
import { Service } from "./api.js";
import { startCorrections } from "./corrections_view.js";
import { find } from "./dom.js";
import { startInput } from "./input_view.js";
import { language, number, switchLanguage, t, translate } from "./language.js";
import { startLegend } from "./legend.js";
import { attempt, say, startMessages } from "./messages.js";
import { noteKey } from "./notes.js";
import { startNotes } from "./notes_view.js";
import { readAhead, readNote } from "./reading.js";
import { startResult } from "./result_view.js";
import { startSelection } from "./selection.js";
import { startSpanDialog } from "./span_dialog.js";
import { startTable } from "./table_view.js";
import { startKeys } from "./text_keys.js";
import { TextView } from "./text_view.js";
import { startTip } from "./tip.js";
import { askToken } from "./token_dialog.js";
import { startWords } from "./words_view.js";

const waiting = seconds => { find("empty").textContent = t("error.waiting", { seconds }); say(find("empty").textContent); };
const app = new App(new Service({ askToken, waiting }));

async function loadPipeline() {
  app.pipeline = await app.service.json("pipeline");
  app.versions = app.pipeline.versions;
  app.tell("pipeline");
  about();
}

async function show(index) {
  app.index = index;
  const { note } = app;
  app.tell("note");
  if (!note) return;
  find("result").setAttribute("aria-busy", "true");
  await attempt(async () => {
    if (!app.pipeline) await loadPipeline();
    await readNote(app, note);
    if (app.note !== note) return;
    app.tell("answer");
    about();
    say(t("result.found", { shown: number(app.marks().length), id: note.id }));
  });
  if (app.note !== note) return;
  find("result").removeAttribute("aria-busy");
  if (note.answer) readAhead(app);
}

function showNotes(notes) {
  app.setNotes(notes);
  show(notes.length ? 0 : -1);
}

// A text that was judged: shown where it is in the list, or alone.
function openJudged(one) {
  const index = app.notes.findIndex(note => note.key === noteKey(one));
  if (index >= 0) return show(index);
  find("source").value = one.text;
  return showNotes([one]);
}

function about() {
  const { pipeline, versions = {} } = app;
  const other = language() === "en" ? "zh-CN" : "en";
  find("language").textContent = t("language.other");
  find("language").lang = other;
  if (!pipeline) return;
  find("pipeline").textContent = [pipeline.name, pipeline.version].filter(Boolean).join(" ");
  find("about").textContent = t("about", { count: pipeline.labels.length });
  const shown = { package: versions.spacy_medflat, pipeline: versions.pipeline, digest: versions.digest, lexicon: versions.lexicon };
  const licence = pipeline.licence ? ` · ${t("licence", { licence: pipeline.licence })}` : "";
  find("versions").textContent = t("versions", shown) + licence;
}

function start() {
  translate();
  startMessages();
  // The order is that in which they are told of changes.
  const view = new TextView(app);
  startResult(app);
  startTable(app, view);
  startNotes(app, show);
  startLegend(app);
  startWords(app);
  startCorrections(app, openJudged);
  startInput(app, showNotes);
  startKeys(app, view);
  startTip(app, view);
  startSelection(app, view);
  startSpanDialog(app, view);
  find("with-words").addEventListener("change", event => {
    app.view.words = event.target.checked;
    show(app.index);
  });
  find("language").addEventListener("click", () => {
    switchLanguage();
    about();
    app.tell("language");
  });
  app.on("answer", about);
  // A reload loses nothing, but nobody can tell it from closing the tab.
  addEventListener("beforeunload", event => { if (app.judged.size && !app.isSaved) event.preventDefault(); });
  about();
  app.tell("judged");
  attempt(loadPipeline);
}

start();
