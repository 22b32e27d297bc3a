// A span with all its facts, to be judged.

import { judge } from "./corrections.js";
import { factRows } from "./describe.js";
import { el, find } from "./dom.js";
import { t } from "./language.js";
import { addSpan } from "./selection.js";

export function startSpanDialog(app, view) {
  const dialog = find("span-dialog");
  const close = () => {
    dialog.close();
    back();
  };
  // Keep the place in the text, unless the focus goes on to a form.
  const back = () => {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body || view.root.contains(activeElement)) view.focus(view.active);
  };
  const open = mark => {
    const { note } = app;
    const text = note.text.slice(mark.from, mark.to);
    const give = verdict => () => {
      app.judge(judgement => judge(judgement, mark, verdict));
      close();
    };
    const others = app.labels.filter(label => label !== mark.label);
    const label = el("select", { id: "other-label" }, others.map(one => el("option", { value: one }, nameOf(app, one))));
    const relabel = () => {
      app.judge(judgement => judge(judgement, mark, mark.verdict === "new" ? null : "wrong"));
      addSpan(app, { start: mark.start, end: mark.end, text, label: label.value });
      close();
    };
    const asWord = () => {
      close();
      app.tell("picked", { text, start: mark.start, end: mark.end });
      find("word-type").value = mark.label;
      find("term").focus();
    };
    const button = (key, click, props = {}) => el("button", { type: "button", click, ...props }, t(key));
    const pressed = verdict => ({ "aria-pressed": String(mark.verdict === verdict), class: `verdict ${verdict}` });
    dialog.replaceChildren(
      el("h2", { id: "span-title", lang: app.pipeline.language, style: { "--colour": app.colour(mark.label) } }, text),
      el("dl", {}, factRows(mark, app.about(mark.label)).map(([name, what]) => [el("dt", {}, name), el("dd", {}, what)])),
      el(
        "div",
        { class: "row" },
        mark.verdict === "new" ? null : button("span.right", give("right"), { ...pressed("right"), autofocus: true }),
        mark.verdict === "new" ? null : button("span.wrong", give("wrong"), pressed("wrong")),
        mark.verdict ? button(mark.verdict === "new" ? "span.wrong" : "span.clear", give(null)) : null,
      ),
      el("p", { class: "hint" }, t("span.hint")),
      others.length
        ? el("div", { class: "row" }, el("label", { for: "other-label" }, t("span.other")), label, button("span.relabel", relabel))
        : "",
      el("div", { class: "row spread" }, button("span.word", asWord), button("close", close)),
    );
    dialog.showModal();
  };
  dialog.addEventListener("close", back);
  dialog.addEventListener("click", event => { if (event.target === dialog) close(); });
  app.on("open", open);
}

export const nameOf = (app, label) => {
  const { name } = app.about(label);
  return name === label ? label : `${label} ${name}`;
};
