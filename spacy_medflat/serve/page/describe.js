// What is known about a span, as sentences and as rows.

import { codesOf, cuesOf, scoreText, special, valueFields, valueText } from "./facts.js";
import { t, word } from "./language.js";

const verdictName = mark => word("verdict", mark.implied ? "implied" : String(mark.verdict ?? null));

const contextOf = entity => special(entity).map(value => word("value", value)).join(" ");

const sectionOf = ({ section }) => (section ? word("section", section) : "");

// The facts that one wants at a glance, in a line.
export const factsLine = entity =>
  [
    [contextOf(entity), cuesOf(entity) && `(${cuesOf(entity)})`].filter(Boolean).join(" "),
    valueText(entity),
    codesOf(entity)[0],
    sectionOf(entity),
  ].filter(Boolean).join(" · ");

// For screen readers: 糖尿病, disease 疾病, score 0.93, absent (无).
export const describe = (mark, text, label) =>
  [text, label, typeof mark.score === "number" && `${t("span.score")} ${scoreText(mark.score)}`, factsLine(mark), mark.verdict && verdictName(mark)]
    .filter(Boolean).join(", ");

// All of it, as [[name, what]…] for a dialog.
export function factRows(mark, about) {
  const rows = [["label", `${mark.label}${about.name === mark.label ? "" : ` ${about.name}`}`]];
  if (typeof mark.score === "number") {
    rows.push(["score", `${scoreText(mark.score)}${mark.above === false ? `, ${t("span.below")}` : ""}`]);
  }
  rows.push(["place", `${mark.start}–${mark.end}`]);
  const context = ["assertion", "experiencer", "temporality"].map(name => mark[name]).filter(Boolean);
  if (context.length) rows.push(["assertion", context.map(value => word("value", value)).join(", ")]);
  if (cuesOf(mark)) rows.push(["cues", cuesOf(mark)]);
  const value = valueFields(mark).map(([name, what]) => `${word("field", name)} ${word("value", what)}`);
  if (value.length) rows.push(["value", value.join(", ")]);
  for (const code of codesOf(mark)) rows.push(["codes", code]);
  if (sectionOf(mark)) rows.push(["section", sectionOf(mark)]);
  rows.push(["judged", verdictName(mark)]);
  return rows.map(([name, what]) => [name === "label" ? t("table.label") : t(`span.${name}`), what]);
}

export { verdictName };
