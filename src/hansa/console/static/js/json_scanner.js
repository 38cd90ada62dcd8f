// A scanner of JSON bytes as strict as the ledger's own parser; it notes whatever is not canonical.
//
// It reads RFC 8259 JSON and nothing looser. `isCanonical` becomes false at the first space, escape,
// number or key that the one canonical form would write in another way. Pure.

const DIGITS_MAX = 4300; // longer integers are refused by the ledger's parser
const NESTING_MAX = 1000; // deeper than any document; protects this machine's stack
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SHORT_ESCAPES = new Map(
  Array.from('"\\/bfnrt').map((letter, place) => [letter.charCodeAt(0), '"\\/\b\f\n\r\t'[place]]),
);
// Control characters that canonical JSON writes in their short form.
const SHORT_CONTROLS = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d]);
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are not JSON. */
export class NotJson extends Error {}

/** A number that is no integer, or has too many digits. */
export class NotInteger extends Error {}

/** One pass over bytes; every method reads from `place` on. */
export class Scanner {
  constructor(bytes) {
    this.bytes = bytes;
    this.place = 0;
    this.isCanonical = true;
    this.depth = 0;
  }

  /** The next byte that is no space, not taken; -1 at the end. */
  peek() {
    for (;;) {
      const byte = this.bytes[this.place];
      if (byte === undefined) {
        return -1;
      }
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
        return byte;
      }
      this.isCanonical = false;
      this.place += 1;
    }
  }

  /** Take one punctuation mark. */
  expect(mark) {
    if (this.peek() !== mark.charCodeAt(0)) {
      throw new NotJson(`expected ${mark} at byte ${this.place}`);
    }
    this.place += 1;
  }

  /** Take one punctuation mark if it comes next. */
  takes(mark) {
    if (this.peek() !== mark.charCodeAt(0)) {
      return false;
    }
    this.place += 1;
    return true;
  }

  /** Nothing may follow. */
  end() {
    if (this.peek() !== -1) {
      throw new NotJson(`more than one value, at byte ${this.place}`);
    }
  }

  /** A string. */
  string() {
    this.expect('"');
    let text = "";
    let start = this.place;
    for (;;) {
      const byte = this.bytes[this.place];
      if (byte === undefined || byte < 0x20) {
        throw new NotJson(`a string is cut off or has a control character, at byte ${this.place}`);
      }
      if (byte === QUOTE || byte === BACKSLASH) {
        text += this.#decode(start, this.place);
        this.place += 1;
        if (byte === QUOTE) {
          return text;
        }
        text += this.#escape();
        start = this.place;
      } else {
        this.place += 1;
      }
    }
  }

  /** An integer of any size, as BigInt. Throws NotInteger for fractions and exponents. */
  integer() {
    const text = this.#number();
    if (!/^-?[0-9]+$/u.test(text) || text.length > DIGITS_MAX + 1) {
      throw new NotInteger(`${text.slice(0, 20)} is not an integer`);
    }
    if (text.replace("-", "").length > DIGITS_MAX) {
      throw new NotInteger("an integer is out of range");
    }
    if (text === "-0") {
      this.isCanonical = false;
    }
    return BigInt(text);
  }

  /** One of the words true, false, null, taken if it comes next. */
  takesWord(word) {
    this.peek();
    for (let index = 0; index < word.length; index += 1) {
      if (this.bytes[this.place + index] !== word.charCodeAt(index)) {
        return false;
      }
    }
    this.place += word.length;
    return true;
  }

  /** The bytes of one value, whatever it is, unread but for its form. Its own form is not noted. */
  skip() {
    this.peek();
    const start = this.place;
    const wasCanonical = this.isCanonical;
    this.#skipValue();
    this.isCanonical = wasCanonical;
    return this.bytes.subarray(start, this.place);
  }

  /** Go one level down, for the time that `read` takes. */
  nest(read) {
    this.depth += 1;
    if (this.depth > NESTING_MAX) {
      throw new NotJson("nested too deeply");
    }
    const value = read();
    this.depth -= 1;
    return value;
  }

  #decode(start, end) {
    const part = this.bytes.subarray(start, end);
    if (part.length < 64 && part.every((byte) => byte < 0x80)) {
      return String.fromCharCode(...part);
    }
    try {
      return decoder.decode(part);
    } catch {
      throw new NotJson("a string is not UTF-8");
    }
  }

  #escape() {
    const letter = this.bytes[this.place];
    this.place += 1;
    if (letter === 0x75) {
      return this.#unicodeEscape();
    }
    const meant = SHORT_ESCAPES.get(letter);
    if (meant === undefined) {
      throw new NotJson(`no such escape, at byte ${this.place}`);
    }
    if (meant === "/") {
      this.isCanonical = false;
    }
    return meant;
  }

  #unicodeEscape() {
    const text = this.#fourDigits();
    const unit = Number.parseInt(text, 16);
    if (unit >= 0xdc00 && unit <= 0xdfff) {
      throw new NotJson("a lone surrogate");
    }
    if (unit < 0xd800 || unit > 0xdfff) {
      if (unit >= 0x20 || SHORT_CONTROLS.has(unit) || text !== text.toLowerCase()) {
        this.isCanonical = false;
      }
      return String.fromCharCode(unit);
    }
    this.isCanonical = false;
    if (this.bytes[this.place] !== BACKSLASH || this.bytes[this.place + 1] !== 0x75) {
      throw new NotJson("a lone surrogate");
    }
    this.place += 2;
    const low = Number.parseInt(this.#fourDigits(), 16);
    if (low < 0xdc00 || low > 0xdfff) {
      throw new NotJson("a lone surrogate");
    }
    return String.fromCharCode(unit, low);
  }

  #fourDigits() {
    const digits = String.fromCharCode(...this.bytes.subarray(this.place, this.place + 4));
    if (!/^[0-9A-Fa-f]{4}$/u.test(digits)) {
      throw new NotJson(`no such escape, at byte ${this.place}`);
    }
    this.place += 4;
    return digits;
  }

  #number() {
    this.peek();
    const start = this.place;
    if (this.bytes[this.place] === 0x2d) {
      this.place += 1;
    }
    const first = this.bytes[this.place];
    const whole = this.#digits();
    if (whole === 0 || (first === 0x30 && whole > 1)) {
      throw new NotJson(`not a number, at byte ${start}`);
    }
    if (this.bytes[this.place] === 0x2e) {
      this.place += 1;
      this.#needDigits();
    }
    if ((this.bytes[this.place] | 0x20) === 0x65) {
      this.place += 1;
      if (this.bytes[this.place] === 0x2b || this.bytes[this.place] === 0x2d) {
        this.place += 1;
      }
      this.#needDigits();
    }
    const size = Math.min(this.place - start, DIGITS_MAX + 2);
    return decoder.decode(this.bytes.subarray(start, start + size));
  }

  #digits() {
    const start = this.place;
    while (this.bytes[this.place] >= 0x30 && this.bytes[this.place] <= 0x39) {
      this.place += 1;
    }
    return this.place - start;
  }

  #needDigits() {
    if (this.#digits() === 0) {
      throw new NotJson(`not a number, at byte ${this.place}`);
    }
  }

  #skipValue() {
    const byte = this.peek();
    if (byte === QUOTE) {
      this.#skipString();
    } else if (byte === 0x7b) {
      this.#skipMany("{", "}", () => {
        this.peek();
        this.#skipString();
        this.expect(":");
        this.#skipValue();
      });
    } else if (byte === 0x5b) {
      this.#skipMany("[", "]", () => this.#skipValue());
    } else if (!["true", "false", "null"].some((word) => this.takesWord(word))) {
      this.#number();
    }
  }

  #skipMany(open, close, skipOne) {
    this.expect(open);
    if (this.takes(close)) {
      return;
    }
    this.nest(() => {
      do {
        skipOne();
      } while (this.takes(","));
    });
    this.expect(close);
  }

  #skipString() {
    this.expect('"');
    for (;;) {
      const byte = this.bytes[this.place];
      if (byte === undefined || byte < 0x20) {
        throw new NotJson(`a string is cut off or has a control character, at byte ${this.place}`);
      }
      this.place += 1;
      if (byte === QUOTE) {
        return;
      }
      if (byte === BACKSLASH) {
        this.#escape();
      }
    }
  }
}
