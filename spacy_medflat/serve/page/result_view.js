// What stands around the text: how many spans are shown, whether the reader has finished it.

import { finish, leftOut, reopen } from "./corrections.js";
import { find } from "./dom.js";
import { number, t } from "./language.js";
import { errorSentence } from "./messages.js";

export function startResult(app) {
  const button = find("finish");
  const draw = () => {
    const { note } = app;
    const answer = note?.answer;
    find("empty").hidden = Boolean(answer) && !answer.error;
    find("reading").hidden = !answer || Boolean(answer.error);
    find("empty").textContent = answer?.error
      ? t("error.text", { detail: answer.error.message })
      : t(note ? "result.busy" : "result.empty");
    find("count").textContent = "";
    if (!answer || answer.error) return;
    const shown = app.marks(note).length;
    const count = t("result.count", { shown: number(shown), all: number(Math.max(shown, answer.entities.length)) });
    const time = answer.milliseconds === undefined ? "" : ` · ${t("result.time", { ms: number(Math.round(answer.milliseconds)) })}`;
    find("count").textContent = count + time;
    drawFinish(app.judgementOf(note));
  };
  const drawFinish = judgement => {
    const left = leftOut(judgement, app.marks());
    find("left-out").hidden = !judgement.finished;
    find("left-out").classList.toggle("warning", left.length > 0);
    find("left-out").textContent = left.length ? t("result.left-out", { count: number(left.length) }) : t("result.finished");
    const key = left.length ? "again" : judgement.finished ? "reopen" : "finish";
    button.textContent = t(`result.${key}`);
    button.dataset.does = key;
  };
  button.addEventListener("click", () => {
    if (button.dataset.does === "reopen") app.judge(reopen);
    else app.judge(judgement => finish(judgement, app.marks(), app.view.off));
  });
  app.on("notes note answer view judged language", draw);
}
