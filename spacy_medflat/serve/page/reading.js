// Notes and what the service finds in them.

import { keyOf } from "./corrections.js";

// What is read ahead of the reader.
const MOST_NOTES = 8;
const MOST_CHARACTERS = 4000;

const wants = (app, note) => !note.answer || (app.view.words && !note.answer.words && !note.answer.error);

// Have the answer for a note. `again`: also if it has one.
export async function readNote(app, note, { again = false } = {}) {
  if (again || wants(app, note)) await readNotes(app, [note]);
}

// The notes behind the shown one. Nobody waits for them: what goes wrong is told when they are shown.
export async function readAhead(app) {
  const batch = [];
  let characters = 0;
  for (const next of app.notes.slice(app.index + 1, app.index + 1 + MOST_NOTES)) {
    characters += next.offsets.characters;
    if (characters > MOST_CHARACTERS) break;
    if (wants(app, next)) batch.push(next);
  }
  if (batch.length) await readNotes(app, batch).then(() => app.tell("ahead"), () => {});
}

async function readNotes(app, notes) {
  const { words } = app.view;
  const body = { texts: notes.map(({ id, text }) => ({ id, text })), floor: app.pipeline.floor ?? 0.05, words };
  const { results, versions } = await app.service.json("annotate", { method: "POST", body });
  notes.forEach((note, i) => { note.answer = toAnswer(results[i], note, words); });
  app.versions = versions ?? app.versions;
  for (const note of notes) app.renewCandidates(note);
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
  app.tell("reread");
  const after = app.marks(note);
  const now = new Set(after.map(keyOf));
  return {
    come: after.filter(mark => !before.has(mark.key)),
    gone: [...before.values()].filter(mark => !now.has(mark.key)),
  };
}
