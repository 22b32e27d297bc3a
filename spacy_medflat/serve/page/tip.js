// What is known about a span, while the pointer or the keyboard is on it.

import { factsLine, verdictName } from "./describe.js";
import { el, find } from "./dom.js";
import { scoreText } from "./facts.js";

export function startTip(app, view) {
  const tip = find("tip");
  let shown = null;
  const hide = () => {
    tip.hidden = true;
    for (const piece of view.pieces(shown)) piece.classList.remove("lit");
    shown = null;
  };
  const show = element => {
    const mark = view.marks.get(element?.closest?.(".entity")?.dataset.mark);
    if (!mark) return hide();
    if (shown !== mark.key) hide();
    shown = mark.key;
    for (const piece of view.pieces(shown)) piece.classList.add("lit");
    tip.replaceChildren(...lines(app, view, mark));
    tip.hidden = false;
    return placeBelow(tip, element.closest(".entity"));
  };
  view.root.addEventListener("pointerover", event => { if (event.pointerType !== "touch") show(event.target); });
  view.root.addEventListener("pointerleave", hide);
  view.root.addEventListener("focusin", event => { if (event.target.matches(":focus-visible")) show(event.target); });
  view.root.addEventListener("focusout", hide);
  addEventListener("scroll", hide, { passive: true });
  addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  app.on("open note answer view", hide);
}

// The span, and the ones around it.
function lines(app, view, mark) {
  const around = [...view.marks.values()].filter(one => one.from <= mark.from && one.to >= mark.to && one !== mark).reverse();
  return [mark, ...around].slice(0, 4).map(one => {
    const name = app.about(one.label).name;
    return el(
      "p",
      {},
      el("b", {}, `${one.label}${name === one.label ? "" : ` ${name}`}`),
      ` ${scoreText(one.score)}`,
      factsLine(one) && ` · ${factsLine(one)}`,
      one.verdict && ` · ${verdictName(one)}`,
    );
  });
}

// Below the first line of an element, inside of the window.
export function placeBelow(box, element, gap = 4) {
  const [line] = element.getClientRects();
  if (!line) return;
  const { width, height } = box.getBoundingClientRect();
  const left = Math.min(Math.max(4, line.left), innerWidth - width - 4);
  const below = line.bottom + 14 + gap;
  const top = below + height < innerHeight ? below : Math.max(4, line.top - height - gap);
  Object.assign(box.style, { left: `${Math.max(4, left)}px`, top: `${top}px` });
}
