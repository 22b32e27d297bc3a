// Which spans are shown. The answer has all down to a floor, so that no slider needs a new request.

// `moved` holds the labels whose slider was moved. For others the pipeline decides, which knows more than a score:
// a pipeline may keep the innermost or outermost spans only.
export function isAbove(entity, moved) {
  const least = moved.get(entity.label);
  if (least === undefined || typeof entity.score !== "number") return entity.above !== false;
  return entity.score >= least;
}

export const isShown = (entity, moved, off) => !off.has(entity.label) && isAbove(entity, moved);

// Of each label, how many there are above its threshold, whether its key is on or off, and how many in all.
export function countLabels(labels, entities, moved) {
  const counts = new Map(labels.map(label => [label, { above: 0, all: 0 }]));
  for (const entity of entities) {
    if (!counts.has(entity.label)) counts.set(entity.label, { above: 0, all: 0 });
    const count = counts.get(entity.label);
    count.all += 1;
    count.above += isAbove(entity, moved);
  }
  return counts;
}
