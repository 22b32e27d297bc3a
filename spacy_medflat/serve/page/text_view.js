// The text of a note with its entities. A block is drawn when it comes near the window, so that a text of 100,000
// characters costs no more than what is seen of it.

import { cutBlocks } from "./blocks.js";
import { describe } from "./describe.js";
import { el, find } from "./dom.js";
import { drawBlock, fitCaptions } from "./draw.js";
import { language, number, t } from "./language.js";
import { outerFirst } from "./lanes.js";
import { wordMarks } from "./marks.js";

export class TextView {
  #blocks = [];
  #byElement = new Map();
  #observer = new IntersectionObserver(seen => this.#near(seen), { rootMargin: "600px 0px" });
  // Marks in the order of the arrow keys, by their keys.
  marks = new Map();
  active = null;

  constructor(app) {
    this.app = app;
    this.root = find("text");
    app.on("note", () => this.#start());
    app.on("answer", () => this.#start());
    app.on("view judged language", () => this.#update());
    addEventListener("resize", () => this.#drawn().forEach(({ element }) => fitCaptions(element)));
    addEventListener("beforeprint", () => this.#blocks.forEach(block => this.#draw(block)));
  }

  // Marks that are alike in it are drawn alike.
  #look = mark => [mark.key, mark.caption, mark.verdict, mark.implied, this.app.fresh.has(mark.key)].join(" ");

  #drawn = () => this.#blocks.filter(block => block.drawn !== null);

  // Another text, or another answer: cut it anew, so that no candidate is cut.
  #start() {
    const focused = this.root.contains(document.activeElement) ? this.active : null;
    this.#observer.disconnect();
    this.#byElement.clear();
    const { note } = this.app;
    this.answer = note?.answer ?? null;
    this.root.lang = this.app.pipeline?.language ?? "zh";
    if (!note?.answer) {
      this.#blocks = [];
      this.root.replaceChildren();
      return;
    }
    const own = note.offsets.place([...this.app.judgementOf(note).verdicts.values()]);
    this.words = this.app.view.words ? wordMarks(note.answer, note.offsets) : [];
    const places = cutBlocks(note.text, [...note.answer.entities, ...own, ...this.words]);
    this.#blocks = places.map(place => {
      const element = el("div", { class: "block", data: { from: place[0] } }, note.text.slice(...place));
      const block = { place, element, marks: [], drawn: null, hidden: 0 };
      this.#byElement.set(element, block);
      return block;
    });
    this.root.replaceChildren(...this.#blocks.map(({ element }) => element));
    this.#update();
    for (const { element } of this.#blocks) this.#observer.observe(element);
    if (focused) this.focus(focused);
  }

  // Other sliders, or judgements: draw the blocks again that look otherwise now.
  #update() {
    const { note } = this.app;
    // With another answer all is drawn anew.
    if (!note?.answer || note.answer !== this.answer) return;
    // A new span may cross the border of two blocks.
    const found = this.app.marks(note);
    if (found.some(mark => this.#blockAt(mark.from).place[1] < mark.to)) {
      this.#start();
      return;
    }
    const focused = this.root.contains(document.activeElement) ? this.active : null;
    this.marks = new Map(outerFirst(found).map(i => [found[i].key, found[i]]));
    if (!this.marks.has(this.active)) this.active = this.marks.keys().next().value ?? null;
    for (const block of this.#blocks) block.marks = [];
    for (const mark of [...this.marks.values(), ...this.words]) this.#blockAt(mark.from).marks.push(mark);
    for (const block of this.#blocks) {
      if (block.drawn !== null) this.#draw(block);
    }
    if (focused) this.focus(this.active);
    this.#count();
  }

  #blockAt(unit) {
    let low = 0, high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle].place[0] <= unit) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }

  #near(seen) {
    for (const { isIntersecting, target } of seen) {
      const block = this.#byElement.get(target);
      if (isIntersecting && block && block.drawn === null) this.#draw(block);
    }
    this.#count();
  }

  #draw(block) {
    const look = [language(), ...block.marks.map(mark => this.#look(mark))].join();
    if (block.drawn === look) return;
    const { text } = this.app.note;
    const { element, hidden } = drawBlock(text, block.place, block.marks, {
      colour: label => this.app.colour(label),
      isFresh: mark => this.app.fresh.has(mark.key),
      describe: mark => describe(mark, text.slice(mark.from, mark.to), this.app.about(mark.label).name),
    });
    block.drawn = look;
    block.hidden = hidden;
    block.element.replaceChildren(element);
    fitCaptions(block.element);
    this.#tabStop();
  }

  // One stop for the tab key; the arrow keys go on from there.
  #tabStop() {
    for (const one of this.root.querySelectorAll('[tabindex="0"]')) one.tabIndex = -1;
    const stop = this.elementOf(this.active);
    if (stop) stop.tabIndex = 0;
  }

  #count() {
    const hidden = this.#blocks.reduce((sum, block) => sum + block.hidden, 0);
    find("not-drawn").hidden = !hidden;
    find("not-drawn").textContent = t("result.not-drawn", { count: number(hidden) });
  }

  // The first piece of a mark.
  elementOf = key => this.pieces(key)[0] ?? null;

  pieces = key => (key ? [...this.root.querySelectorAll(`.entity[data-mark="${CSS.escape(key)}"]`)] : []);

  focus(key) {
    const mark = this.marks.get(key);
    if (!mark) return;
    this.active = key;
    this.#draw(this.#blockAt(mark.from));
    this.#tabStop();
    const element = this.elementOf(key);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  }
}
