// The marks that are drawn in a text: what the pipeline found, and what the reader judged.

import { keyOf } from "./corrections.js";
import { captionOf, isAbsent, special } from "./facts.js";
import { isShown } from "./thresholds.js";

const SIGNS = { right: "✓ ", wrong: "✗ ", new: "+ " };

// A mark is an entity with `key`, `verdict`, `implied` (see corrections.js) and `caption`. What was judged right, or is new, is drawn at any threshold.
// `name`: turns a value as `absent` into a word.
export function entityMarks(answer, judgement, view, offsets, name = value => value) {
  const found = new Map((answer?.entities ?? []).map(entity => [keyOf(entity), entity]));
  const marks = [];
  for (const [key, entity] of found) {
    const judged = judgement.verdicts.get(key);
    const kept = judged && judged.verdict !== "wrong" && !view.off.has(entity.label);
    if (kept || isShown(entity, view.moved, view.off)) marks.push(mark(entity, key, judged, name));
  }
  const own = [...judgement.verdicts].filter(([key, { verdict }]) => verdict !== "wrong" && !found.has(key));
  for (const entity of offsets.place(own.map(([, span]) => ({ ...span, score: null, above: true })))) {
    if (!view.off.has(entity.label)) marks.push(mark(entity, keyOf(entity), entity, name));
  }
  return marks;
}

function mark(entity, key, { verdict = null, implied = false } = {}, name) {
  const said = special(entity).map(name).join(" ");
  const absent = isAbsent(entity);
  // The sign is for those who do not see, or print, how it is drawn.
  const caption = `${(!implied && SIGNS[verdict]) || ""}${captionOf(entity)}${said ? ` ${absent ? "⊘" : ""}${said}` : ""}`;
  return { ...entity, key, verdict, implied, said, absent, caption };
}

// The words of the lattice as marks. They are drawn below the entities.
export const wordMarks = (answer, offsets) =>
  offsets.place(answer?.words ?? []).map((word, i) => {
    const type = word.type || "·";
    return { ...word, key: `word:${i}`, label: type, caption: type, word: true };
  });
