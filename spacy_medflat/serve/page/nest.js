// Marks of a text as elements inside elements, as in spacy_medflat/visual/html.py. Of marks that cross, the one that
// starts later is made of pieces.

import { outerFirst } from "./lanes.js";

// A list of {open: i, cut, goesOn}, {head: [i…], from, to}, {text, from, to} and {close: true}, in the order of the
// text. `cut`: the mark goes on after this piece; `goesOn`: it began before. A head is the first character of marks.
export function nest(text, marks, begin = 0, end = text.length) {
  const waiting = outerFirst(marks).reverse();
  const places = [...new Set([begin, end, ...marks.flatMap(mark => [mark.from, mark.to])])].sort((a, b) => a - b);
  const steps = [];
  const opened = new Map();
  let open = [];
  places.forEach((place, n) => {
    const following = places[n + 1] ?? end;
    const ending = open.findIndex(i => marks[i].to === place);
    const depth = ending < 0 ? open.length : ending;
    // What lies inside a mark that ends, but ends later, is cut here and goes on after it.
    const cut = open.slice(depth).filter(i => marks[i].to > place);
    for (const i of cut) opened.get(i).cut = true;
    for (let i = depth; i < open.length; i += 1) steps.push({ close: true });
    const starting = [];
    while (waiting.length && marks[waiting.at(-1)].from === place) starting.push(waiting.pop());
    open = [...open.slice(0, depth), ...cut, ...starting];
    for (const i of open.slice(depth)) {
      const step = { open: i, cut: false, goesOn: opened.has(i) };
      opened.set(i, step);
      steps.push(step);
    }
    let from = place;
    if (starting.length) {
      from += String.fromCodePoint(text.codePointAt(place)).length;
      steps.push({ head: starting, from: place, to: from });
    }
    if (from < following) steps.push({ text: true, from, to: following });
  });
  return steps;
}
