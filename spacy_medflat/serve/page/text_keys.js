// Keys, clicks and the pointer on the spans of a text.

import { judge } from "./corrections.js";

// The keys of spans that the arrow keys lead to from one of them; `marks`: a Map in the order of the text.
export function neighbour(marks, key, way) {
  const keys = [...marks.keys()];
  const at = keys.indexOf(key);
  const here = marks.get(key);
  const around = one => one !== here && one.from <= here.from && one.to >= here.to;
  if (way === "next") return keys[at + 1] ?? null;
  if (way === "previous") return keys[at - 1] ?? null;
  if (way === "first") return keys[0] ?? null;
  if (way === "last") return keys.at(-1) ?? null;
  const inner = one => one !== here && one.from >= here.from && one.to <= here.to;
  const found = way === "outer" ? keys.slice(0, at).reverse().find(one => around(marks.get(one)))
    : keys.slice(at + 1).find(one => inner(marks.get(one)));
  return found ?? null;
}

const WAYS = {
  ArrowRight: "next", ArrowLeft: "previous", ArrowUp: "outer", ArrowDown: "inner", Home: "first", End: "last",
};

export function startKeys(app, view) {
  const markAt = element => view.marks.get(element?.closest?.(".entity")?.dataset.mark);
  view.root.addEventListener("focusin", event => {
    const mark = markAt(event.target);
    if (mark) view.active = mark.key;
  });
  view.root.addEventListener("keydown", event => {
    const mark = markAt(event.target);
    if (!mark || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const way = WAYS[event.key];
    const verdict = { Delete: "wrong", Backspace: "wrong", " ": "right" }[event.key];
    if (way) {
      const key = neighbour(view.marks, mark.key, way);
      if (key) view.focus(key);
    } else if (verdict) app.judge(judgement => judge(judgement, mark, mark.verdict === verdict ? null : verdict));
    else if (event.key === "Enter") app.tell("open", mark);
    else return;
    event.preventDefault();
  });
  view.root.addEventListener("click", event => {
    const mark = markAt(event.target);
    // Whoever selects text inside of a span does not want to open it.
    if (!mark || !getSelection().isCollapsed) return;
    view.active = mark.key;
    app.tell("open", mark);
  });
}
