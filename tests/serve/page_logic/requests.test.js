// What the page makes of the answers of the service.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Service } from "../page/api.js";

const answer = (status, body, headers = {}) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
const error = (status, code, headers) => answer(status, { error: { code, message: "why" } }, headers);

function service(answers, { tokens = [] } = {}) {
  const seen = [];
  const get = async (path, { headers }) => {
    seen.push(headers.Authorization ?? "");
    const next = answers.shift();
    if (!next) throw new TypeError("failed to fetch");
    return next;
  };
  const waited = [];
  const made = new Service({ get, waiting: seconds => waited.push(seconds), askToken: async () => tokens.shift() ?? null });
  return { made, seen, waited };
}

test("a token is asked for until it fits", async () => {
  const { made, seen } = service([error(401, "wrong_token"), error(401, "wrong_token"), answer(200, { ok: 1 })], { tokens: ["a", "b"] });
  assert.deepEqual(await made.json("pipeline"), { ok: 1 });
  assert.deepEqual(seen, ["", "Bearer a", "Bearer b"]);
});

test("without a token there is an error", async () => {
  await assert.rejects(service([error(401, "wrong_token")]).made.json("x"), { code: "wrong_token", status: 401 });
});

test("a busy service is asked again when it says", async () => {
  const { made, waited } = service([error(429, "busy", { "Retry-After": "1" }), answer(200, { ok: 1 })]);
  assert.deepEqual(await made.json("annotate"), { ok: 1 });
  assert.deepEqual(waited, [1]);
});

test("other errors have their code, and what is no answer has one too", async () => {
  await assert.rejects(service([error(413, "too_large")]).made.json("x"), { code: "too_large", message: "why" });
  await assert.rejects(service([answer(502, "<html>")]).made.json("x"), { code: "unreadable", status: 502 });
  await assert.rejects(service([answer(200, "<html>")]).made.json("x"), { code: "unreadable" });
  await assert.rejects(service([]).made.json("x"), { code: "offline" });
});

test("files come with their name", async () => {
  const headers = { "Content-Disposition": 'attachment; filename="corrections.zip"' };
  const { blob, name } = await service([answer(200, "content", headers)]).made.file("export");
  assert.equal(name, "corrections.zip");
  assert.equal(await blob.text(), "content");
});
