// The spans that are shown, as a table: also of those that find no room under the text.

import { factsLine, verdictName } from "./describe.js";
import { el, find } from "./dom.js";
import { scoreText } from "./facts.js";
import { number, t } from "./language.js";

const STEP = 100;

export function startTable(app, view) {
  const table = find("table");
  const body = table.querySelector("tbody");
  let most = STEP;
  const draw = () => {
    const marks = [...view.marks.values()];
    table.querySelector("summary").textContent = t("table.summary", { count: number(marks.length) });
    find("more-rows").hidden = marks.length <= most;
    if (!table.open) return body.replaceChildren();
    const names = ["span", "label", "score", "facts", "judged"].map(name => el("th", { scope: "col" }, t(`table.${name}`)));
    table.querySelector("thead").replaceChildren(el("tr", {}, names));
    return body.replaceChildren(...marks.slice(0, most).map(mark => el("tr", { style: { "--colour": app.colour(mark.label) } },
      el("td", {}, el("button", {
        type: "button", class: "link", lang: app.pipeline.language, click: () => { view.active = mark.key; app.tell("open", mark); },
      }, app.note.text.slice(mark.from, mark.to))),
      el("td", {}, el("b", { class: "chip" }, mark.label)),
      el("td", { class: "figures" }, scoreText(mark.score)),
      el("td", {}, factsLine(mark)),
      el("td", {}, mark.verdict ? verdictName(mark) : ""))));
  };
  table.addEventListener("toggle", draw);
  find("more-rows").addEventListener("click", () => {
    most += 5 * STEP;
    draw();
  });
  app.on("note", () => { most = STEP; });
  // After the text, which has the marks.
  app.on("note answer view judged language", draw);
}
