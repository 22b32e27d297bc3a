// All that the page says, in both languages. What the pipeline says (labels, sections, codes) is shown as it is.

import { chinese } from "./strings_zh.js";
import { english } from "./strings_en.js";

export const STRINGS = { en: english, zh: chinese };

export function firstLanguage(kept, preferred) {
  if (Object.hasOwn(STRINGS, kept)) return kept;
  const known = preferred.map(name => name.slice(0, 2).toLowerCase()).find(name => Object.hasOwn(STRINGS, name));
  return known ?? "en";
}
