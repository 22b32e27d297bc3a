// Notes and what the service finds in them.

import { keyOf } from "./corrections.js";

// Notes behind the one that is wanted are read with it.
const MOST_NOTES = 8;
const MOST_CHARACTERS = 20000;

// Have the answer for a note. `again`: also if it has one.
export async function readNote(app, note, { again = false } = {}) {
  const wants = one => !one.answer || (app.view.words && !one.answer.words && !one.answer.error);
  if (!again && !wants(note)) return;
  const batch = [note];
  let characters = note.offsets.characters;
  for (const next of app.notes.slice(app.notes.indexOf(note) + 1)) {
    characters += next.offsets.characters;
    if (batch.length === MOST_NOTES || characters > MOST_CHARACTERS) break;
    if (wants(next)) batch.push(next);
  }
  const words = app.view.words;
  const body = { texts: batch.map(({ id, text }) => ({ id, text })), floor: app.pipeline.floor ?? 0.05, words };
  const { results, versions } = await app.service.json("annotate", { method: "POST", body });
  batch.forEach((one, i) => { one.answer = toAnswer(results[i], one, words); });
  app.versions = versions ?? app.versions;
  // The spans that the pipeline thinks possible may have changed.
  for (const one of batch) if (app.judged.has(one.key) && !one.answer.error) app.judge(judgement => judgement, one);
}

function toAnswer(result, note, words) {
  if (!result || result.error) return { entities: [], words: null, error: result?.error ?? { message: "" } };
  return {
    entities: note.offsets.place(result.entities ?? []),
    words: words ? (result.words ?? []) : null,
    milliseconds: result.milliseconds,
    error: null,
  };
}

// After the lexicon changed: read the shown note again, the others when they are wanted. Gives the marks that are new
// and those that are gone.
export async function readAgain(app) {
  const { note } = app;
  for (const other of app.notes) if (other !== note) other.answer = null;
  if (!note) return null;
  const before = new Map(app.marks(note).map(mark => [mark.key, mark]));
  await readNote(app, note, { again: true });
  const after = app.marks(note);
  const now = new Set(after.map(keyOf));
  return {
    come: after.filter(mark => !before.has(mark.key)),
    gone: [...before.values()].filter(mark => !now.has(mark.key)),
  };
}
