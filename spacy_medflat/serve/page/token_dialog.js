// Asks for the token of the service.

import { find } from "./dom.js";
import { t } from "./language.js";

// wasWrong: the last one was not taken. Gives the token, or null.
export function askToken(wasWrong) {
  const dialog = find("token-dialog");
  const wrong = find("token-wrong");
  wrong.textContent = t("token.wrong");
  wrong.hidden = !wasWrong;
  find("token").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise(done => {
    find("token-cancel").onclick = () => dialog.close();
    dialog.addEventListener("close", () => done(dialog.returnValue === "ok" ? find("token").value : null), { once: true });
  });
}
