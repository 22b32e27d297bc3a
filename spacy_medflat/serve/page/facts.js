// What the pipeline says about a span beside label and score, for people.

// The values that need no cue, as in spacy_medflat/context/attributes.py: what nobody has to be told.
const ORDINARY = new Set(["present", "patient", "current"]);
const CONTEXT = ["assertion", "experiencer", "temporality"];

// The values that say something special, as ["absent", "historical"].
export const special = entity => CONTEXT.map(name => entity[name]).filter(value => value && !ORDINARY.has(value));

export const isAbsent = entity => entity.assertion === "absent";

export function cuesOf(entity) {
  const cues = (entity.cues ?? []).filter(cue => !ORDINARY.has(cue.value)).map(cue => cue.text.trim());
  return [...new Set(cues)].join("、");
}

// The value as it stands in the text, as `92 g/L ↓`.
export const valueText = entity => (entity.value?.parts ?? []).map(part => part.text).join(" ");

// The fields of the value that are there, as [["number", "92"], …].
export function valueFields(entity) {
  const { parts, form, numbers = [], ...others } = entity.value ?? {};
  const known = Object.entries(others).filter(([, value]) => value !== null && value !== undefined);
  const number = numbers.length ? [["number", numbers.map(round).join(", ")]] : [];
  return [...number, ...known.map(([name, value]) => [name, typeof value === "number" ? round(value) : String(value)])];
}

const round = number => String(Number(number.toPrecision(6)));

export const codesOf = entity =>
  (entity.codes ?? []).map(code => [code.code, code.side, code.name].filter(Boolean).join(" "));

// Names of labels come as `disease 疾病`: the half that the reader's language has; others whole.
export function nameIn(language, name) {
  const halves = /^([ -~]+) ([^ -~]+)$/.exec(name);
  return halves ? halves[language === "zh" ? 2 : 1] : name;
}

export const scoreText = score => (typeof score === "number" ? score.toFixed(2) : "–");

// What stands beneath a span: the label, cut where it is long, and its first code.
export function captionOf(entity) {
  const label = entity.label.length <= 14 ? entity.label : `${entity.label.slice(0, 13)}…`;
  return [label, entity.codes?.[0]?.code].filter(Boolean).join(" ");
}
