// Offsets, lanes, nesting, blocks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cutBlocks } from "../page/blocks.js";
import { assignLanes, MAX_LANES, outerFirst } from "../page/lanes.js";
import { nest } from "../page/nest.js";
import { isWellFormed, Offsets } from "../page/offsets.js";
import { neighbour } from "../page/text_keys.js";

const mark = (from, to, label = "dis") => ({ from, to, label, caption: label, key: `${from}:${to}:${label}` });

// The same numbers at every run.
function random(seed) {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

const someMarks = (next, length, most) => Array.from({ length: next(most) }, (_, i) => {
  const [a, b] = [next(length), next(length)];
  return mark(Math.min(a, b), Math.max(a, b) + 1, `label ${i}`);
});

test("offsets are characters, whatever takes two units", () => {
  for (const text of ["", "右肺", "😀右肺𠮷癌", "a👩‍⚕️b", "𠮷", "x\ud83dy"]) {
    const offsets = new Offsets(text);
    const characters = [...text];
    assert.equal(offsets.characters, characters.length);
    for (let i = 0; i <= characters.length; i += 1) {
      assert.equal(offsets.toUnits(i), characters.slice(0, i).join("").length);
      assert.equal(offsets.toCharacters(offsets.toUnits(i)), i);
    }
  }
  assert.equal(new Offsets("a😀b").toCharacters(2), 1, "the middle of a character is its beginning");
});

test("spans are placed in units", () => {
  const [span] = new Offsets("😀右肺").place([{ start: 1, end: 3, label: "bod" }]);
  assert.equal("😀右肺".slice(span.from, span.to), "右肺");
});

test("half of a character is seen", () => {
  assert.ok(isWellFormed("😀"));
  assert.equal(isWellFormed("\ud83d"), typeof "".isWellFormed !== "function");
});

test("inner marks lie above outer ones, and no two of a lane overlap", () => {
  const next = random(1);
  for (let round = 0; round < 200; round += 1) {
    const marks = someMarks(next, 30, 14);
    const lanes = assignLanes("字".repeat(30), marks);
    marks.forEach((one, i) => marks.forEach((other, j) => {
      if (i === j || lanes[i] === null || lanes[j] === null) return;
      const apart = one.to <= other.from || other.to <= one.from;
      assert.ok(lanes[i] !== lanes[j] || apart);
      const inside = other.from <= one.from && one.to <= other.to && (one.from !== other.from || one.to !== other.to);
      if (inside) assert.ok(lanes[i] < lanes[j]);
    }));
  }
});

test("more marks than lanes", () => {
  const lanes = assignLanes("肺癌", Array.from({ length: 20 }, (_, i) => mark(0, 2, `l${i}`)));
  assert.equal(lanes.filter(lane => lane === null).length, 20 - MAX_LANES);
});

// The text, and the stretch of each mark, as the elements would have them.
function read(text, marks) {
  let whole = "";
  const open = [], pieces = new Map(), heads = [];
  for (const step of nest(text, marks)) {
    if (step.close) {
      const { i, from, cut } = open.pop();
      assert.ok(whole.length > from, "no piece is empty");
      pieces.set(i, [...(pieces.get(i) ?? []), { from, to: whole.length, ...cut }]);
    } else if (step.open !== undefined) open.push({ i: step.open, from: whole.length, cut: { cut: step.cut, goesOn: step.goesOn } });
    else {
      if (step.head) heads.push(...step.head.map(i => [i, whole.length]));
      whole += text.slice(step.from, step.to);
    }
  }
  assert.equal(open.length, 0);
  return { whole, pieces, heads: new Map(heads) };
}

test("the text stays and every mark is there whole", () => {
  const next = random(2);
  const text = "右肺😀上叶<腺癌>&术后𠮷";
  const places = [0, ...[...text].map((_, i) => [...text].slice(0, i + 1).join("").length)];
  for (let round = 0; round < 200; round += 1) {
    const marks = someMarks(next, places.length - 1, 8).map(one => ({ ...one, from: places[one.from], to: places[one.to] }));
    const { whole, pieces, heads } = read(text, marks);
    assert.equal(whole, text);
    marks.forEach((one, i) => {
      const own = pieces.get(i).sort((a, b) => a.from - b.from);
      assert.equal(own[0].from, one.from);
      assert.equal(own.at(-1).to, one.to);
      own.forEach((piece, n) => {
        assert.equal(piece.from, n ? own[n - 1].to : one.from);
        assert.deepEqual([piece.goesOn, piece.cut], [n > 0, n < own.length - 1]);
      });
      assert.equal(heads.get(i), one.from);
    });
  }
});

test("blocks cover the text and cut no mark, no character", () => {
  const next = random(3);
  for (const text of ["", "一行\n\n二行\n", "字".repeat(5000), "咳嗽，发热。😀".repeat(900), "短\n".repeat(20000)]) {
    const marks = text.length > 100 ? someMarks(next, 90, 8).map(one => ({ ...one, from: one.from + 5, to: one.to + 5 })) : [];
    const blocks = cutBlocks(text, marks);
    assert.equal(blocks.map(([from, to]) => text.slice(from, to)).join(""), text);
    assert.ok(blocks.every(([from, to]) => to - from <= 1600 && isWellFormed(text.slice(from, to))));
    for (const { from, to } of marks) assert.ok(blocks.some(([begin, end]) => begin <= from && to <= end));
    assert.ok(blocks.length < 400);
  }
});

test("arrow keys lead in the order of the text, outwards and inwards", () => {
  const marks = [mark(2, 4, "bod"), mark(0, 6), mark(8, 9, "sym")];
  const order = new Map(outerFirst(marks).map(i => [marks[i].key, marks[i]]));
  const go = (key, way) => neighbour(order, key, way);
  assert.deepEqual([...order.keys()], ["0:6:dis", "2:4:bod", "8:9:sym"]);
  assert.equal(go("0:6:dis", "next"), "2:4:bod");
  assert.equal(go("2:4:bod", "outer"), "0:6:dis");
  assert.equal(go("0:6:dis", "inner"), "2:4:bod");
  assert.equal(go("8:9:sym", "outer"), null);
  assert.equal(go("8:9:sym", "next"), null);
  assert.equal(go("8:9:sym", "first"), "0:6:dis");
});
