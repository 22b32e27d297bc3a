// A block of text with its marks, as elements. Captions are no part of the text: who copies it gets the text alone.

import { el } from "./dom.js";
import { assignLanes } from "./lanes.js";
import { nest } from "./nest.js";

// Lanes of the marks of a block: words of the lattice lie below all entities.
function lanesOf(text, marks) {
  const split = kind => marks.filter(mark => Boolean(mark.word) === kind);
  const [entities, words] = [split(false), split(true)];
  const lanes = new Map();
  let below = 0;
  for (const group of [entities, words]) {
    assignLanes(text, group).forEach((lane, i) => { if (lane !== null) lanes.set(group[i].key, lane + below); });
    below = Math.max(below, 1 + Math.max(-1, ...lanes.values()));
  }
  return { lanes, height: below };
}

// {element, hidden}: a paragraph, and how many marks found no lane. `ways`: functions `colour` of a label, and of a mark
// `describe`, its name for screen readers, and `isFresh`.
export function drawBlock(text, [from, to], marks, ways) {
  const { lanes, height } = lanesOf(text, marks);
  const drawn = marks.filter(mark => lanes.has(mark.key));
  const root = el("p", { style: { "--lanes": height } });
  const open = [root];
  for (const step of nest(text, drawn, from, to)) {
    const inner = open.at(-1);
    if (step.close) open.pop();
    else if (step.text) inner.append(text.slice(step.from, step.to));
    else if (step.head) {
      const captions = step.head.map(i => caption(drawn[i], lanes, ways));
      inner.append(el("span", { class: "head" }, text.slice(step.from, step.to), captions));
    } else {
      const piece = drawPiece(drawn[step.open], step, lanes, ways);
      inner.append(piece);
      open.push(piece);
    }
  }
  return { element: root, hidden: marks.length - drawn.length };
}

function drawPiece(mark, { cut, goesOn }, lanes, ways) {
  const first = mark.word || goesOn ? {} : { role: "group", tabindex: -1, "aria-label": ways.describe(mark) };
  const classes = [mark.word ? "word" : "entity", mark.verdict && `is-${mark.verdict}`, mark.said && "said"];
  classes.push(mark.absent && "absent", cut && "cut", goesOn && "goes-on", mark.above === false && "below");
  classes.push(ways.isFresh(mark) && "fresh");
  return el("span", { class: classes.filter(Boolean).join(" "), data: { mark: mark.key }, style: look(mark, lanes, ways), ...first });
}

function caption(mark, lanes, ways) {
  const [label, said] = mark.absent ? mark.caption.split(" ⊘") : [mark.caption];
  const classes = `${mark.word ? "of-word" : ""} ${mark.verdict ? `is-${mark.verdict}` : ""}`.trim();
  const data = { caption: label, mark: mark.key, ...(said ? { said: `⊘ ${said}` } : {}) };
  return el("b", { class: classes, "aria-hidden": "true", data, style: look(mark, lanes, ways) });
}

const look = (mark, lanes, { colour }) => ({
  "--lane": lanes.get(mark.key),
  ...(mark.word ? {} : { "--colour": colour(mark.label) }),
});

// Captions that would leave the text at the end of a line are moved to the left. Short ones always fit.
export function fitCaptions(root) {
  const long = [...root.querySelectorAll(".head b")].filter(({ dataset }) => (dataset.caption + (dataset.said ?? "")).length > 4);
  for (const one of long) one.style.left = "";
  const right = root.getBoundingClientRect().right;
  const excess = long.map(one => one.getBoundingClientRect().right - right);
  long.forEach((one, i) => { if (excess[i] > 0) one.style.left = `${-excess[i]}px`; });
}
