// The labels: their colours, counts and thresholds. What is moved here acts on the answer that is there.

import { el, find } from "./dom.js";
import { countLabels } from "./thresholds.js";
import { number, t } from "./language.js";

export function startLegend(app) {
  const rows = new Map();
  const least = () => app.pipeline.floor ?? 0.05;
  const thresholdOf = label => app.view.moved.get(label) ?? app.about(label).threshold ?? 0.5;
  const changed = () => { app.tell("view"); };
  const slider = (value, name, input) => {
    const range = { type: "range", min: least(), max: 1, step: 0.01, "aria-label": name, input: event => input(Number(event.target.value)) };
    const element = el("input", range);
    element.value = value;
    return element;
  };
  const move = (label, value) => app.view.moved.set(label, value);

  const draw = () => {
    const { pipeline } = app;
    const all = slider(0.5, t("labels.all"), value => {
      for (const label of app.labels) move(label, value);
      changed();
    });
    find("all-labels").replaceChildren(el("span", {}, t("labels.all"), " ", el("i")), all, el("output"));
    rows.clear();
    const items = app.labels.map(label => {
      const { name } = app.about(label);
      const key = el("input", { type: "checkbox", "aria-label": t("labels.show", { label: nameFor(label, name) }), change: event => {
        if (event.target.checked) app.view.off.delete(label);
        else app.view.off.add(label);
        changed();
      } });
      const range = slider(thresholdOf(label), t("labels.threshold", { label: nameFor(label, name) }), value => {
        move(label, value);
        changed();
      });
      const count = el("i"), output = el("output");
      rows.set(label, { key, range, count, output });
      const known = name === label ? [] : [el("span", { class: "name" }, name)];
      return el("li", { style: { "--colour": app.colour(label) } },
        el("label", {}, key, el("b", { class: "chip" }, label), ...known), count, range, output);
    });
    find("labels").replaceChildren(...items);
    find("nesting").hidden = !pipeline.nesting || pipeline.nesting === "all";
    update();
  };

  const update = () => {
    const entities = app.note?.answer?.entities ?? [];
    const counts = countLabels(app.labels, entities, app.view.moved);
    for (const [label, { key, range, count, output }] of rows) {
      key.checked = !app.view.off.has(label);
      range.value = thresholdOf(label);
      output.textContent = thresholdOf(label).toFixed(2);
      const { above, all } = counts.get(label);
      count.textContent = t("labels.counts", { above: number(above), all: number(all) });
    }
    const values = app.labels.map(thresholdOf);
    const same = values.every(value => value === values[0]);
    const [all, output] = [find("all-labels").querySelector("input"), find("all-labels").querySelector("output")];
    const middle = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0.5;
    if (document.activeElement !== all) all.value = middle;
    output.textContent = same ? middle.toFixed(2) : "";
    find("all-labels").querySelector("i").textContent = same ? "" : t("labels.mixed");
    all.setAttribute("aria-valuetext", same ? output.textContent : t("labels.mixed"));
  };

  find("reset").addEventListener("click", () => {
    app.view.moved.clear();
    app.view.off.clear();
    changed();
  });
  app.on("pipeline language", draw);
  app.on("view note answer", update);
}

const nameFor = (label, name) => (name === label ? label : `${label} ${name}`);
