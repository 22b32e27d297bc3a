// All that the page says, in both languages. What the pipeline says (labels, sections, codes) is shown as it is.

import { chinese } from "./strings_zh.js";
import { english } from "./strings_en.js";

export const STRINGS = { en: english, zh: chinese };
