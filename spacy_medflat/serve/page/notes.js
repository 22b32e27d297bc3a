// What was pasted or dropped, as notes.

// Two notes are the same if identifier and text are.
export const noteKey = ({ id, text }) => `${id}\n${text}`;

// A name for a text that has none: the same text has the same one at any time (FNV-1a).
export function nameOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return `note-${hash.toString(16).padStart(8, "0")}`;
}

// The service takes identifiers of 200 characters.
const toNote = (text, id) => ({ id: String(id ?? "").slice(0, 200) || nameOf(text), text });

// {notes, bad: lines that are none}. JSON lines with a field `text` are many notes, anything else is one.
export function parseNotes(content, id) {
  const lines = content.split(/\r?\n/).map((line, i) => [i + 1, line.trim()]).filter(([, line]) => line);
  if (!lines.length) return { notes: [], bad: [] };
  if (/^[[{]/.test(lines[0][1])) {
    const whole = lines[0][1].startsWith("[") ? tryParse(content) : undefined;
    const read = Array.isArray(whole)
      ? whole.map((value, i) => [i + 1, fromJson(value)])
      : lines.map(([number, line]) => [number, fromJson(tryParse(line))]);
    const notes = read.map(([, note]) => note).filter(Boolean);
    if (notes.length) return { notes, bad: read.filter(([, note]) => !note).map(([number]) => number) };
  }
  return { notes: [toNote(content, id)], bad: [] };
}

function fromJson(value) {
  if (typeof value === "string") return toNote(value);
  return typeof value?.text === "string" ? toNote(value.text, value.id) : null;
}

function tryParse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// The text of a file in UTF-8, UTF-16 with its mark, or GB18030; null if it is none of them.
export function decode(bytes) {
  const mark = { fffe: "utf-16le", feff: "utf-16be" }[[...bytes.slice(0, 2)].map(b => b.toString(16)).join("")];
  for (const encoding of mark ? [mark] : ["utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
      if (!text.includes("\0")) return text;
    } catch {
      // The next one may fit.
    }
  }
  return null;
}

export const withoutSuffix = name => name.replace(/\.(txt|text|jsonl?|ndjson)$/i, "");
