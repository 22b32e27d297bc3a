// What the page knows, and who is told when it changes.
//
// Events: `pipeline` (it is known), `notes` (others are there), `note` (another one is shown), `answer` (the shown note
// has another one), `reread` (that is about to be told), `ahead` (answers of other notes), `view` (what is shown of an
// answer), `judged`, `language`, `picked` (a text was selected; detail: {text, start, end}), `open` (a span; detail:
// its mark).

import { freeze, isJudged, nothingJudged, thaw, withCandidates } from "./corrections.js";
import { nameIn } from "./facts.js";
import { entityMarks } from "./marks.js";
import { noteKey } from "./notes.js";
import { Offsets } from "./offsets.js";
import { fromSession, toSession } from "./storage.js";
import { language, word } from "./language.js";

export class App extends EventTarget {
  pipeline = null;
  notes = [];
  index = -1;
  view = { moved: new Map(), off: new Set(), words: false };
  // Keys of spans that the last change of the lexicon brought.
  fresh = new Set();
  // All texts with a judgement, by `noteKey`: {id, text, judgement}.
  judged = new Map();
  isKept = true;
  // Whether all that was judged is in a file, or with the service.
  isSaved = true;
  #marks = null;

  constructor(service) {
    super();
    this.service = service;
    for (const frozen of fromSession("corrections") ?? []) this.judged.set(noteKey(frozen), thaw(frozen));
  }

  on(names, listener) {
    for (const name of names.split(" ")) this.addEventListener(name, event => listener(event.detail));
  }

  tell(name, detail) {
    this.#marks = null;
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  get note() {
    return this.notes[this.index] ?? null;
  }

  get labels() {
    return this.pipeline.labels.map(({ label }) => label);
  }

  about(label) {
    const known = this.pipeline.labels.find(one => one.label === label) ?? { label, name: label, threshold: null };
    return { ...known, name: nameIn(language(), known.name) };
  }

  colour(label) {
    return this.about(label).colour ?? "#455a64";
  }

  setNotes(notes) {
    this.notes = notes.map(({ id, text }) => ({ id, text, key: noteKey({ id, text }), offsets: new Offsets(text), answer: null }));
    this.index = -1;
    this.tell("notes");
  }

  judgementOf(note) {
    return this.judged.get(note.key)?.judgement ?? nothingJudged();
  }

  // The spans that are drawn in a note. Those of the shown one are kept until something changes.
  marks(note = this.note) {
    if (note === this.note && this.#marks) return this.#marks;
    const marks = entityMarks(note.answer, this.judgementOf(note), this.view, note.offsets, value => word("value", value));
    if (note === this.note) this.#marks = marks;
    return marks;
  }

  // change: takes a judgement and gives another one.
  judge(change, note = this.note) {
    const judgement = withCandidates(change(this.judgementOf(note)), note.answer?.entities ?? []);
    if (isJudged(judgement)) this.judged.set(note.key, { id: note.id, text: note.text, judgement });
    else this.judged.delete(note.key);
    this.isSaved = false;
    this.keep();
  }

  // Another answer may have other spans that the pipeline thinks possible.
  renewCandidates(note) {
    const judged = this.judged.get(note.key);
    if (!judged || note.answer.error) return;
    judged.judgement = withCandidates(judged.judgement, note.answer.entities);
    this.keep();
  }

  saved() {
    this.isSaved = true;
    this.keep();
  }

  forget(key) {
    this.judged.delete(key);
    this.keep();
  }

  keep() {
    this.isKept = toSession("corrections", this.judged.size ? [...this.judged.values()].map(freeze) : null);
    this.tell("judged");
  }
}
