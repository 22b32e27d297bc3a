// What a reader judged in a text, and the record that training reads. Offsets are characters, as in the service.
//
// A text is finished or not. Of a finished one, what was shown and not marked wrong is right, and there is nothing else
// in it. Of others, only what was judged counts: every other span that the pipeline thinks possible at all (a score
// from the floor of the answer on) is `unknown`, and a training passes over it. See "Unknown spans" in docs/adapt.md.

export const keyOf = span => `${span.start}:${span.end}:${span.label}`;

// verdicts: Map of key to {start, end, label, verdict: "right" | "wrong" | "new", implied}.
// unread: labels that were switched off when the text was finished, of which nothing is said.
// candidates: the spans that the pipeline thinks possible, [start, end, label].
export const nothingJudged = () => ({ verdicts: new Map(), finished: false, unread: [], candidates: [], sent: false });

export const isJudged = judgement => judgement.finished || judgement.verdicts.size > 0;

// `verdict` null takes a judgement back, and a new span away. One that a reader drew and calls wrong was never there.
export function judge(judgement, span, verdict) {
  const verdicts = new Map(judgement.verdicts);
  const before = verdicts.get(keyOf(span))?.verdict;
  if (verdict === null || (before === "new" && verdict === "wrong")) verdicts.delete(keyOf(span));
  else if (!(before === "new" && verdict === "right")) {
    verdicts.set(keyOf(span), { start: span.start, end: span.end, label: span.label, verdict, implied: false });
  }
  return { ...judgement, verdicts, sent: false };
}

// `shown`: the spans that the reader sees; `unread`: the labels that are switched off.
export function finish(judgement, shown, unread) {
  const verdicts = new Map(judgement.verdicts);
  for (const span of shown) {
    if (verdicts.has(keyOf(span))) continue;
    verdicts.set(keyOf(span), { start: span.start, end: span.end, label: span.label, verdict: "right", implied: true });
  }
  return { ...judgement, verdicts, finished: true, unread: [...unread], sent: false };
}

export function reopen(judgement) {
  const verdicts = new Map([...judgement.verdicts].filter(([, { implied }]) => !implied));
  return { ...judgement, verdicts, finished: false, unread: [], sent: false };
}

export function withCandidates(judgement, entities) {
  return { ...judgement, candidates: entities.map(({ start, end, label }) => [start, end, label]) };
}

// Of a finished text, the spans that are shown now, and are no part of what goes out: after a slider moved, or a word
// was added.
export const leftOut = (judgement, shown) =>
  judgement.finished ? shown.filter(span => !judgement.verdicts.has(keyOf(span))) : [];

export function countVerdicts(judgement) {
  const counts = { right: 0, wrong: 0, new: 0 };
  for (const { verdict } of judgement.verdicts.values()) counts[verdict] += 1;
  return counts;
}

// {id, text, entities, unknown}, see docs/data.md. What is said about a span (assertion, value, codes) is left out:
// nobody judged it, and in a file it would be gold.
export function toRecord({ id, text, judgement }) {
  const plain = ({ start, end, label }) => ({ start, end, label });
  const entities = [...judgement.verdicts.values()].filter(({ verdict }) => verdict !== "wrong").map(plain);
  const unread = new Set(judgement.unread);
  const unknown = judgement.candidates
    .map(([start, end, label]) => ({ start, end, label }))
    .filter(span => !judgement.verdicts.has(keyOf(span)) && (!judgement.finished || unread.has(span.label)));
  return { id, text, entities: entities.sort(byPlace), unknown: unknown.sort(byPlace) };
}

const byPlace = (a, b) => a.start - b.start || b.end - a.end || (a.label < b.label ? -1 : 1);

export const toLines = records => records.map(record => `${JSON.stringify(record)}\n`).join("");

// For the storage of the browser.
export const freeze = ({ id, text, judgement }) => ({
  id, text, judgement: { ...judgement, verdicts: [...judgement.verdicts.values()] },
});

export function thaw({ id, text, judgement }) {
  const verdicts = new Map(judgement.verdicts.map(span => [keyOf(span), span]));
  return { id, text, judgement: { ...nothingJudged(), ...judgement, verdicts } };
}
