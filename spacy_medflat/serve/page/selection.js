// Text that is selected in the note: a bar with the labels, for a new span in one click.

import { judge } from "./corrections.js";
import { el, find } from "./dom.js";
import { t } from "./language.js";
import { say } from "./messages.js";
import { placeBelow } from "./tip.js";

// Where a place in the DOM lies in the text, in UTF-16 units; null outside of it.
export function unitAt(root, node, offset) {
  const block = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(".block");
  if (!block || !root.contains(block)) return null;
  const range = document.createRange();
  range.setStart(block, 0);
  range.setEnd(node, offset);
  return Number(block.dataset.from) + range.toString().length;
}

// [from, to] in UTF-16 units; null if nothing of the text is selected.
function selectedUnits(root, note) {
  const selection = getSelection();
  if (!note || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const from = unitAt(root, range.startContainer, range.startOffset);
  // Three clicks on the last line select up to what comes behind the text.
  const behind = root.compareDocumentPosition(range.endContainer) & Node.DOCUMENT_POSITION_FOLLOWING;
  const to = unitAt(root, range.endContainer, range.endOffset) ?? (behind ? note.text.length : null);
  return from === null || to === null || to <= from ? null : [from, to];
}

// {text, start, end} in characters, without blanks around it; null if nothing of the text is selected.
export function selected(root, note) {
  const units = selectedUnits(root, note);
  if (!units) return null;
  const [from] = units;
  const text = note.text.slice(...units);
  const before = text.length - text.trimStart().length;
  if (!text.trim()) return null;
  const start = note.offsets.toCharacters(from + before);
  return { text: text.trim(), start, end: note.offsets.toCharacters(from + before + text.trim().length) };
}

export function addSpan(app, { start, end, label, text }) {
  app.judge(judgement => judge(judgement, { start, end, label }, verdictFor(app, { start, end, label })));
  say(t("words.marked", { text, label }));
}

// What the pipeline found too, maybe below the threshold, is not new but right.
function verdictFor(app, { start, end, label }) {
  const found = app.note.answer?.entities.some(one => one.start === start && one.end === end && one.label === label);
  return found ? "right" : "new";
}

export function startSelection(app, view) {
  const bar = find("selection");
  let pick = null;
  const close = () => { bar.hidden = true; };
  const mark = label => {
    addSpan(app, { ...pick, label });
    getSelection().removeAllRanges();
    close();
  };
  const fill = () => {
    const chips = app.pipeline.labels.map(({ label }) => el("button", {
      type: "button", class: "chip", style: { "--colour": app.colour(label) }, "aria-label": t("selection.as", { label }),
      title: app.about(label).name, click: () => mark(label),
    }, label));
    const word = el("button", { type: "button", click: () => { close(); find("term").focus(); } }, t("selection.word"));
    bar.replaceChildren(...chips, word);
  };
  const look = () => {
    pick = selected(view.root, app.note);
    if (!pick) return;
    app.tell("picked", pick);
    fill();
    bar.hidden = false;
    place();
  };
  const place = () => {
    if (!bar.hidden && getSelection().rangeCount) placeBelow(bar, getSelection().getRangeAt(0), 10);
  };
  addEventListener("scroll", place, { passive: true });
  // While the pointer is down the selection still changes; handles on touch screens, and keys, tell of nothing else.
  let timer = 0;
  let isDown = false;
  document.addEventListener("pointerdown", event => { isDown = event.pointerType === "mouse"; });
  document.addEventListener("pointerup", event => {
    isDown = false;
    if (!bar.contains(event.target)) setTimeout(look);
  });
  // The browser would copy blocks with empty lines between them.
  view.root.addEventListener("copy", event => {
    const units = selectedUnits(view.root, app.note);
    if (!units) return;
    event.clipboardData.setData("text/plain", app.note.text.slice(...units));
    event.preventDefault();
  });
  document.addEventListener("selectionchange", () => {
    if (getSelection().isCollapsed && !bar.contains(document.activeElement)) close();
    clearTimeout(timer);
    timer = setTimeout(() => { if (!isDown) look(); }, 400);
  });
  // A click on a button would else take the selection away.
  bar.addEventListener("pointerdown", event => event.preventDefault());
  bar.addEventListener("mousedown", event => event.preventDefault());
  addEventListener("keydown", event => { if (event.key === "Escape") close(); });
  app.on("note answer", close);
}
