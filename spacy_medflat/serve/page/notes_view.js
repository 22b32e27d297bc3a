// The list of notes, if there are several.

import { el, find } from "./dom.js";
import { countVerdicts, isJudged } from "./corrections.js";
import { number, t } from "./language.js";

// show: takes the index of a note.
export function startNotes(app, show) {
  const nav = find("notes");
  const list = nav.querySelector("ol");
  const state = note => {
    const judgement = app.judgementOf(note);
    if (judgement.finished) return `✓ ${t("notes.finished")}`;
    const { right, wrong, new: added } = countVerdicts(judgement);
    if (isJudged(judgement)) return t("notes.judged", { count: right + wrong + added });
    if (note.answer?.error) return t("notes.failed");
    return note.answer ? t("notes.spans", { count: number(app.marks(note).length) }) : t("notes.unread");
  };
  const draw = () => {
    nav.hidden = app.notes.length < 2;
    if (nav.hidden) return list.replaceChildren();
    return list.replaceChildren(...app.notes.map((note, i) => {
      const start = note.text.slice(0, 60).replace(/\s+/g, " ");
      const content = [el("b", {}, note.id), el("span", { lang: app.pipeline?.language }, start), el("i", {}, state(note))];
      return el("li", {}, el("button", { type: "button", data: { index: i } }, content));
    }));
  };
  // A thousand notes are not drawn again for each move of a slider.
  const update = () => {
    list.querySelectorAll("button").forEach((button, i) => {
      button.querySelector("i").textContent = state(app.notes[i]);
      if (i === app.index) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  };
  list.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) show(Number(button.dataset.index));
  });
  app.on("notes language", () => { draw(); update(); });
  app.on("note answer judged ahead", update);
}
