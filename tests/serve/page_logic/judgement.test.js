// Thresholds, facts, notes, and corrections as records.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  countVerdicts, finish, freeze, isJudged, judge, leftOut, nothingJudged, reopen, thaw, toLines, toRecord, withCandidates,
} from "../page/corrections.js";
import { captionOf, cuesOf, nameIn, special, valueFields, valueText } from "../page/facts.js";
import { entityMarks } from "../page/marks.js";
import { decode, nameOf, parseNotes, withoutSuffix } from "../page/notes.js";
import { Offsets } from "../page/offsets.js";
import { firstLanguage, STRINGS } from "../page/strings.js";
import { countLabels, isAbove, isShown } from "../page/thresholds.js";

const span = (start, end, label, score = 0.9, above = score >= 0.5) => ({ start, end, label, score, above });
const TEXT = "右肺上叶腺癌伴咳嗽";
const FOUND = [span(0, 6, "dis", 0.97), span(0, 4, "bod", 0.9), span(0, 2, "bod", 0.3), span(7, 9, "sym", 0.8)];
const view = (moved = [], off = []) => ({ moved: new Map(moved), off: new Set(off) });
const shown = (judgement, { moved, off } = view()) =>
  entityMarks({ entities: FOUND }, judgement, { moved, off }, new Offsets(TEXT));
const record = judgement => toRecord({ id: "n1", text: TEXT, judgement: withCandidates(judgement, FOUND) });
const places = spans => spans.map(({ start, end, label }) => `${start}-${end} ${label}`);

test("both languages say the same things, with the same gaps", () => {
  const gaps = sentence => [...sentence.matchAll(/\{\w+\}/g)].map(String).sort();
  assert.deepEqual(Object.keys(STRINGS.en).sort(), Object.keys(STRINGS.zh).sort());
  for (const key of Object.keys(STRINGS.en)) {
    assert.deepEqual(gaps(STRINGS.en[key]), gaps(STRINGS.zh[key]), key);
    assert.ok(STRINGS.en[key] && STRINGS.zh[key], key);
  }
});

test("the language is the reader's, or the browser's, or English", () => {
  assert.equal(firstLanguage("zh", ["en-US"]), "zh");
  assert.equal(firstLanguage(null, ["fr", "zh-TW", "en"]), "zh");
  assert.equal(firstLanguage("constructor", ["fr"]), "en");
});

test("a slider that was not moved leaves it to the pipeline", () => {
  assert.ok(isAbove(span(0, 1, "dis", 0.1, true), new Map()));
  assert.ok(!isAbove(span(0, 1, "dis", 0.1, true), new Map([["dis", 0.2]])));
  assert.ok(isAbove(span(0, 1, "dis", 0.2, false), new Map([["dis", 0.2]])));
  assert.ok(isAbove({ label: "dis", score: null, above: true }, new Map([["dis", 1]])));
  assert.ok(!isShown(span(0, 1, "dis"), new Map(), new Set(["dis"])));
});

test("labels are counted, also those that the pipeline does not name", () => {
  const counts = countLabels(["bod", "dru"], FOUND, new Map([["bod", 0.95]]));
  assert.deepEqual(counts.get("bod"), { above: 0, all: 2 });
  assert.deepEqual(counts.get("dru"), { above: 0, all: 0 });
  assert.deepEqual(counts.get("dis"), { above: 1, all: 1 });
});

test("facts are told in short", () => {
  const entity = {
    label: "a very long label", assertion: "absent", experiencer: "patient", temporality: "historical",
    cues: [{ text: "无", value: "absent" }, { text: "今", value: "current" }, { text: "无", value: "absent" }],
    value: { form: "number", numbers: [92], unit: "g/L", result: null, per_day: 1 / 3, parts: [{ text: "92" }, { text: "g/L" }] },
    codes: [{ code: "C34.1" }],
  };
  assert.deepEqual(special(entity), ["absent", "historical"]);
  assert.equal(cuesOf(entity), "无");
  assert.equal(valueText(entity), "92 g/L");
  assert.deepEqual(valueFields(entity), [["number", "92"], ["unit", "g/L"], ["per_day", "0.333333"]]);
  assert.equal(captionOf(entity), "a very long l… C34.1");
  assert.deepEqual([special({}), cuesOf({}), valueText({}), valueFields({})], [[], "", "", []]);
});

test("names of labels in one language, where they come in two", () => {
  assert.equal(nameIn("en", "disease 疾病"), "disease");
  assert.equal(nameIn("zh", "disease 疾病"), "疾病");
  for (const name of ["MY_LABEL", "my label", "疾病", "疾病 disease", "a 疾病 b"]) assert.equal(nameIn("zh", name), name);
});

test("a pasted text is a note, JSON lines are many", () => {
  assert.deepEqual(parseNotes(" \n"), { notes: [], bad: [] });
  assert.deepEqual(parseNotes("咳嗽\r\n").notes, [{ id: nameOf("咳嗽\r\n"), text: "咳嗽\r\n" }]);
  assert.deepEqual(parseNotes("咳嗽", "ward").notes, [{ id: "ward", text: "咳嗽" }]);
  const lines = '{"id": 7, "text": "咳嗽"}\n\n{"texts": 1}\n{"text": "发热", "id": null}\n{';
  assert.deepEqual(parseNotes(lines), { notes: [{ id: "7", text: "咳嗽" }, { id: nameOf("发热"), text: "发热" }], bad: [3, 5] });
  assert.deepEqual(parseNotes('["咳嗽", {"text": "发热", "id": "b"}]').notes.map(({ text }) => text), ["咳嗽", "发热"]);
  // What only looks like JSON is a note.
  assert.equal(parseNotes("[影像所见] 未见异常").notes.length, 1);
  assert.equal(parseNotes("{").notes[0].text, "{");
  assert.equal(parseNotes("x", "n".repeat(300)).notes[0].id.length, 200);
});

test("files in the encodings of hospitals", () => {
  const gb = Uint8Array.from([0xbf, 0xc8, 0xcb, 0xd4]);
  assert.equal(decode(gb), "咳嗽");
  assert.equal(decode(new TextEncoder().encode("咳嗽😀")), "咳嗽😀");
  assert.equal(decode(Uint8Array.from([0xff, 0xfe, 0xb3, 0x54])), "咳");
  assert.equal(decode(Uint8Array.from([0xff, 0xff, 0xff])), null);
  assert.equal(decode(Uint8Array.from([0x61, 0, 0x62])), null);
  assert.equal(withoutSuffix("a.b.TXT"), "a.b");
});

test("of a text that is not finished only what was judged counts; the rest is unknown", () => {
  let judgement = judge(nothingJudged(), FOUND[0], "right");
  judgement = judge(judgement, FOUND[3], "wrong");
  judgement = judge(judgement, span(4, 6, "sym"), "new");
  const made = record(judgement);
  assert.deepEqual(places(made.entities), ["0-6 dis", "4-6 sym"]);
  assert.deepEqual(places(made.unknown), ["0-4 bod", "0-2 bod"]);
  assert.deepEqual(countVerdicts(judgement), { right: 1, wrong: 1, new: 1 });
});

test("of a finished text what was shown is right, and there is nothing else", () => {
  const wrong = judge(nothingJudged(), FOUND[3], "wrong");
  const done = finish(wrong, shown(wrong), []);
  assert.deepEqual(record(done), {
    id: "n1", text: TEXT, entities: [{ start: 0, end: 6, label: "dis" }, { start: 0, end: 4, label: "bod" }], unknown: [],
  });
  // Sliders that move afterwards change nothing of it, and the page tells.
  assert.deepEqual(places(leftOut(done, shown(done, view([["bod", 0.2]])))), ["0-2 bod"]);
  assert.deepEqual(places(record(judge(done, FOUND[0], "wrong")).entities), ["0-4 bod"]);
  assert.deepEqual(record(reopen(done)), record(wrong));
});

test("nothing is said about labels that were switched off", () => {
  const hidden = view([], ["bod"]);
  const done = finish(nothingJudged(), shown(nothingJudged(), hidden), hidden.off);
  assert.deepEqual(places(record(done).entities), ["0-6 dis", "7-9 sym"]);
  assert.deepEqual(places(record(done).unknown), ["0-4 bod", "0-2 bod"]);
});

test("a finished text may have no entity", () => {
  const done = finish(nothingJudged(), [], []);
  assert.ok(isJudged(done));
  assert.deepEqual(toRecord({ id: "n", text: "无殊", judgement: done }), { id: "n", text: "无殊", entities: [], unknown: [] });
});

test("judgements are taken back, and new spans away", () => {
  const own = judge(nothingJudged(), span(4, 6, "sym"), "new");
  assert.ok(!isJudged(judge(own, span(4, 6, "sym"), "wrong")));
  assert.equal([...judge(own, span(4, 6, "sym"), "right").verdicts.values()][0].verdict, "new");
  assert.ok(!isJudged(judge(judge(nothingJudged(), FOUND[0], "right"), FOUND[0], null)));
});

test("what is judged is drawn at any threshold; a new span too", () => {
  let judgement = judge(nothingJudged(), FOUND[2], "right");
  judgement = judge(judgement, span(4, 6, "sym"), "new");
  const marks = shown(judgement, view(["dis", "bod", "sym"].map(label => [label, 1])));
  assert.deepEqual(places(marks), ["0-2 bod", "4-6 sym"]);
  assert.deepEqual(marks.map(({ caption }) => caption), ["✓ bod", "+ sym"]);
  assert.deepEqual(places(shown(judge(nothingJudged(), FOUND[2], "wrong"))), ["0-6 dis", "0-4 bod", "7-9 sym"]);
});

test("a reload and a file lose nothing", () => {
  const judgement = withCandidates(judge(nothingJudged(), FOUND[0], "right"), FOUND);
  const one = { id: "n1", text: TEXT, judgement };
  assert.deepEqual(thaw(JSON.parse(JSON.stringify(freeze(one)))), one);
  assert.deepEqual(toLines([toRecord(one)]).trim().split("\n").map(JSON.parse), [toRecord(one)]);
});
