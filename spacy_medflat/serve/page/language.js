// The language of the page: chosen by the browser's, then by the reader, who is remembered.

import { STRINGS, firstLanguage } from "./strings.js";
import { fromBrowser, toBrowser } from "./storage.js";

let current = firstLanguage(fromBrowser("language"), navigator.languages ?? [navigator.language]);

export const language = () => current;

// The sentence of a key, with {name} replaced.
export const t = (key, values = {}) => fill(STRINGS[current][key] ?? key, values);

const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// A value of the pipeline, as `absent`: a word of the language where there is one.
export const word = (kind, value) => STRINGS[current][`${kind}.${value}`] ?? value.replaceAll("_", " ");

export const number = value => value.toLocaleString(current);

export function switchLanguage() {
  current = current === "en" ? "zh" : "en";
  toBrowser("language", current);
  translate();
}

// All that index.html says.
export function translate(root = document) {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
}
