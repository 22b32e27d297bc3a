// The service counts characters (code points), JavaScript UTF-16 units: an emoji or 𠮷 is one there and two here.

export class Offsets {
  #starts = null;

  constructor(text) {
    this.length = text.length;
    // Most texts have no such character, and then both count alike.
    if (!/[\ud800-\udfff]/.test(text)) return;
    const starts = [];
    let unit = 0;
    for (const character of text) {
      starts.push(unit);
      unit += character.length;
    }
    this.#starts = Uint32Array.from([...starts, unit]);
  }

  // Characters of the whole text.
  get characters() {
    return this.#starts ? this.#starts.length - 1 : this.length;
  }

  toUnits(character) {
    return this.#starts ? this.#starts[character] : character;
  }

  // The character that the unit lies in.
  toCharacters(unit) {
    if (!this.#starts) return unit;
    let low = 0, high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Spans of the service with `from` and `to`, in units, beside `start` and `end`.
  place(spans) {
    return spans.map(span => ({ ...span, from: this.toUnits(span.start), to: this.toUnits(span.end) }));
  }
}

// A text can only be sent whole if it has no half of a character; Firefox before 119 cannot tell.
export const isWellFormed = text => (text.isWellFormed ? text.isWellFormed() : true);
