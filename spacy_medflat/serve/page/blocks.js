// A long text is drawn in blocks, and each of them when it comes near the window.

const LONGEST = 1500;
const STOPS = "。；;！!？?，,、 \t";

// Blocks [from, to] that cover the text: lines, and long lines cut where a sentence or clause ends. No mark is cut.
export function cutBlocks(text, marks) {
  const inside = new Uint8Array(text.length + 1);
  for (const mark of marks) inside.fill(1, mark.from + 1, mark.to);
  // A long text of short lines would else have more blocks than a browser likes.
  const shortest = text.length > 20000 ? 400 : 1;
  const blocks = [];
  let from = 0;
  while (from < text.length) {
    const to = blockEnd(text, inside, from, shortest);
    blocks.push([from, to]);
    from = to;
  }
  return blocks;
}

function blockEnd(text, inside, from, shortest) {
  let stop = 0;
  for (let place = from + 1; place < text.length; place += 1) {
    if (inside[place] || isLowSurrogate(text.charCodeAt(place))) continue;
    const before = text[place - 1];
    if (before === "\n" && place - from >= shortest) return place;
    if (STOPS.includes(before)) stop = place;
    if (place - from >= LONGEST) return stop > from ? stop : place;
  }
  return text.length;
}

const isLowSurrogate = code => code >= 0xdc00 && code <= 0xdfff;
