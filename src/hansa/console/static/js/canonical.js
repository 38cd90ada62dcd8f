// The one canonical encoding, as src/hansa/encoding/canonical.py has it (RFC 8785, decision D1). Pure.
//
// ASCII keys in order, no floats, |integer| < 2**53, strings in any script and never normalised.
// What Python's decoder refuses is refused here, in the same words.

import { encodeText } from "./digests.js";
import { NotInteger, NotJson, Scanner } from "./json_scanner.js";

/** Deeper nesting than a form has is an attack on parsers (primitives/limits.py). */
export const DEPTH_MAX = 16;
/** Integers that every JSON reader agrees on. */
export const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
const TOO_DEEP = `nested deeper than ${DEPTH_MAX}`;
const NOT_CANONICAL = "not in canonical form (order of keys, spaces, escapes or repeated keys)";
const BEYOND = "an integer is beyond 2**53 - 1";
const NOT_INTEGER = "a number is not an integer, or is beyond 2**53 - 1";
const ASCII = /^[\x00-\x7f]*$/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A value, or bytes, that have no canonical form. */
export class CanonicalError extends Error {}

/** Bytes that are canonical JSON already, to stand in a value as they are. */
export class Raw {
  constructor(bytes) {
    this.bytes = bytes;
  }
}

// --- encoding ---

/** Canonical bytes of null, booleans, integers (number or BigInt), strings, arrays, objects, Raw. */
export function encodeCanonical(value) {
  const parts = [];
  write(value, 0, parts);
  return encodeText(parts.join(""));
}

function write(value, depth, parts) {
  if (depth > DEPTH_MAX) {
    throw new CanonicalError(TOO_DEEP);
  }
  if (value === null || typeof value === "boolean") {
    parts.push(String(value));
  } else if (typeof value === "string") {
    parts.push(writeString(value));
  } else if (typeof value === "number" || typeof value === "bigint") {
    parts.push(writeInteger(value));
  } else if (value instanceof Raw) {
    parts.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value.bytes));
  } else if (Array.isArray(value)) {
    writeMany("[", "]", value, parts, (item) => write(item, depth + 1, parts));
  } else if (isPlainObject(value)) {
    writeObject(value, depth, parts);
  } else {
    throw new CanonicalError(`a value of type ${typeof value} has no canonical form`);
  }
}

function writeObject(value, depth, parts) {
  writeMany("{", "}", Object.keys(value).sort(), parts, (key) => {
    if (!ASCII.test(key)) {
      throw new CanonicalError("a key is not ASCII");
    }
    parts.push(writeString(key), ":");
    write(value[key], depth + 1, parts);
  });
}

function writeMany(open, close, items, parts, writeOne) {
  parts.push(open);
  items.forEach((item, place) => {
    if (place > 0) {
      parts.push(",");
    }
    writeOne(item);
  });
  parts.push(close);
}

function writeInteger(value) {
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new CanonicalError(`${String(value).slice(0, 20)} is not an integer`);
  }
  if (value > INTEGER_MAX || value < -INTEGER_MAX) {
    throw new CanonicalError(BEYOND);
  }
  return String(value);
}

function writeString(text) {
  if (LONE_SURROGATE.test(text)) {
    throw new CanonicalError("a string is not Unicode text");
  }
  // JSON.stringify escapes what RFC 8785 escapes, and nothing else.
  return JSON.stringify(text);
}

function isPlainObject(value) {
  if (typeof value !== "object") {
    return false;
  }
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

// --- decoding ---

/**
 * The value of canonical bytes; objects have no prototype. Throws CanonicalError for all that is
 * not canonical; the words are those that Python's decoder would use.
 */
export function decodeCanonical(bytes, sizeMax) {
  if (bytes.length > sizeMax) {
    throw new CanonicalError(`longer than ${sizeMax} bytes`);
  }
  try {
    return decodeStrictly(bytes);
  } catch (error) {
    if (error instanceof CanonicalError && isDeep(bytes)) {
      throw new CanonicalError(TOO_DEEP);
    }
    throw error;
  }
}

/** The value of any JSON of our types (no fractions), canonical or not. Throws CanonicalError. */
export function decodeJson(bytes) {
  return decodeLoosely(bytes).value;
}

function decodeStrictly(bytes) {
  const { value, isCanonical } = decodeLoosely(bytes);
  if (!isPlain(bytes)) {
    checkValue(value, 0);
  }
  if (!isCanonical) {
    throw new CanonicalError(NOT_CANONICAL);
  }
  return value;
}

/** Whether no look at each value is needed: few brackets, all ASCII, no sixteen digits in a row. */
function isPlain(bytes) {
  let brackets = 0;
  let digits = 0;
  for (const byte of bytes) {
    digits = byte >= 0x30 && byte <= 0x39 ? digits + 1 : 0;
    brackets += byte === 0x5b || byte === 0x7b ? 1 : 0;
    if (byte >= 0x80 || digits === 16 || brackets > DEPTH_MAX) {
      return false;
    }
  }
  return true;
}

function decodeLoosely(bytes) {
  const scanner = new Scanner(bytes);
  try {
    const value = readValue(scanner);
    scanner.end();
    return { value, isCanonical: scanner.isCanonical };
  } catch (error) {
    if (error instanceof NotInteger) {
      throw new CanonicalError(NOT_INTEGER);
    }
    if (error instanceof NotJson) {
      throw new CanonicalError("not JSON");
    }
    throw error;
  }
}

function readValue(scanner) {
  const byte = scanner.peek();
  if (byte === 0x22) {
    return scanner.string();
  }
  if (byte === 0x7b) {
    return readObject(scanner);
  }
  if (byte === 0x5b) {
    return readArray(scanner);
  }
  for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
    if (scanner.takesWord(word)) {
      return value;
    }
  }
  const integer = scanner.integer();
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function readArray(scanner) {
  scanner.expect("[");
  const items = [];
  if (scanner.takes("]")) {
    return items;
  }
  scanner.nest(() => {
    do {
      items.push(readValue(scanner));
    } while (scanner.takes(","));
  });
  scanner.expect("]");
  return items;
}

function readObject(scanner) {
  scanner.expect("{");
  const found = Object.create(null);
  if (scanner.takes("}")) {
    return found;
  }
  let last = null;
  scanner.nest(() => {
    do {
      const key = scanner.string();
      if (last !== null && !(last < key)) {
        scanner.isCanonical = false;
      }
      last = key;
      scanner.expect(":");
      found[key] = readValue(scanner);
    } while (scanner.takes(","));
  });
  scanner.expect("}");
  return found;
}

function checkValue(value, depth) {
  if (depth > DEPTH_MAX) {
    throw new CanonicalError(TOO_DEEP);
  }
  if (typeof value === "bigint") {
    throw new CanonicalError(BEYOND);
  }
  if (Array.isArray(value)) {
    value.forEach((item) => checkValue(item, depth + 1));
  } else if (value !== null && typeof value === "object") {
    for (const key of Object.keys(value)) {
      if (!ASCII.test(key)) {
        throw new CanonicalError("a key is not ASCII");
      }
      checkValue(value[key], depth + 1);
    }
  }
}

/**
 * Whether bytes that were refused are nested deeper than DEPTH_MAX, in linear time: brackets outside
 * strings, where pairs with nothing between are taken away DEPTH_MAX + 1 times.
 */
function isDeep(bytes) {
  let brackets = listBrackets(bytes);
  for (let round = 0; round <= DEPTH_MAX; round += 1) {
    brackets = brackets.replaceAll("()", "");
  }
  return brackets.includes("()") || brackets.split("(").length - 1 > DEPTH_MAX + 1;
}

function listBrackets(bytes) {
  const found = [];
  let inString = false;
  for (let place = 0; place < bytes.length; place += 1) {
    const byte = bytes[place];
    if (inString) {
      if (byte === 0x5c) {
        place += 1;
      } else if (byte === 0x22) {
        inString = false;
      }
    } else if (byte === 0x22) {
      inString = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      found.push("(");
    } else if (byte === 0x5d || byte === 0x7d) {
      found.push(")");
    }
  }
  return found.join("");
}
