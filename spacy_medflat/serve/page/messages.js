// What the page says without being asked: results to screen readers, errors to all.

import { find } from "./dom.js";
import { STRINGS } from "./strings.js";
import { language, t } from "./language.js";

// A region that says the same twice is not read twice.
export function say(sentence) {
  find("live").textContent = find("live").textContent === sentence ? `${sentence}\u00a0` : sentence;
}

export const errorSentence = error => {
  const detail = error.message || String(error.status || error.code || "");
  const key = `error.${error.code}`;
  return key in STRINGS[language()] ? t(key, { detail }) : t("error.other", { detail });
};

let again = null;

// retry: what the button does; without it there is none.
export function showError(sentence, retry = null) {
  again = retry;
  find("retry").hidden = !retry;
  find("error").querySelector("p").textContent = sentence;
  find("error").hidden = false;
}

export const hideError = () => { find("error").hidden = true; };

export function startMessages() {
  find("dismiss").addEventListener("click", hideError);
  find("retry").addEventListener("click", () => {
    hideError();
    again?.();
  });
}

// Do it; what goes wrong is shown, with a button to do it again. Gives whether it went well.
export async function attempt(work, { retry = true } = {}) {
  try {
    await work();
    hideError();
    return true;
  } catch (error) {
    if (!error.code) throw error;
    showError(errorSentence(error), retry ? () => attempt(work) : null);
    return false;
  }
}
