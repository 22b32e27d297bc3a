// Lanes under a text, as in spacy_medflat/visual/lanes.py, whose results a test compares with these.

// Spans beyond so many on the same characters are not drawn.
export const MAX_LANES = 12;

// The indices of marks by start, longer ones before shorter ones.
export function outerFirst(marks) {
  const order = (a, b) => a.from - b.from || b.to - a.to || (a.label < b.label ? -1 : a.label > b.label ? 1 : 0);
  return marks.map((_, i) => i).sort((i, j) => order(marks[i], marks[j]) || i - j);
}

// Lane of each mark: 0 is nearest to the text, and a mark lies below all that are inside it. null where all are taken.
export function assignLanes(text, marks) {
  const lanes = new Array(marks.length).fill(null);
  const taken = Array.from({ length: MAX_LANES }, () => ({ until: 0, end: 0 }));
  let island = [];
  for (const i of outerFirst(marks)) {
    const mark = marks[i];
    if (island.length && taken.every(({ until }) => until <= mark.from)) {
      turn(lanes, island);
      island = [];
    }
    // Outer ones come first and get the lower numbers here, until the island is turned over.
    const around = taken.findLastIndex(({ end }) => end > mark.from && end >= mark.to);
    for (let lane = around + 1; lane < MAX_LANES; lane += 1) {
      if (taken[lane].until > mark.from) continue;
      lanes[i] = lane;
      taken[lane] = { until: Math.max(mark.to, mark.from + captionLength(text, mark)), end: mark.to };
      island.push(i);
      break;
    }
  }
  turn(lanes, island);
  return lanes;
}

function turn(lanes, island) {
  const last = Math.max(0, ...island.map(i => lanes[i]));
  for (const i of island) lanes[i] = last - lanes[i];
}

// How many units of the text the caption is as wide as: 17 pixels each, 8 if Latin; captions 11 and 7.
function captionLength(text, mark) {
  const isWide = code => code > 0x2e7f;
  // What is said about a span stands on a ground of its own.
  let width = mark.absent ? 19 : 3;
  for (const character of mark.caption) width += isWide(character.codePointAt(0)) ? 11 : 7;
  let place = mark.from;
  while (width > 0 && place < text.length) {
    width -= isWide(text.charCodeAt(place)) ? 17 : 8;
    place += 1;
  }
  return place - mark.from;
}
