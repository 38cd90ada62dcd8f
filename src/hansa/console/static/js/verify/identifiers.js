// Whether a record could ever stand under an identifier: else its absence proves nothing. Pure.
//
// As src/hansa/client/record_kinds.py and Record.is_key. What each kind's identifiers look like comes
// with this release as data (shapes.json, by `make reference`): {schemes, kinds: {app: {kind: shape}}}.

import { decodeBase64url } from "../base64url.js";
import { isIdentifier } from "./schemes.js";
import { require, say, Unjudged } from "./reasons.js";
import { isUsableKey } from "./usable_keys.js";

export const KEY_BYTES_MAX = 400;
const INTEGER_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const PARAM_TEXT_MAX = 200;
const PART = /^[A-Za-z0-9._:~#+-]{1,128}$/u;
const DECIMAL = /^(?:0|-?[1-9][0-9]{0,18})$/u;

/** Whether a text may stand in a record's identifier. */
export function isKeyPart(part) {
  return PART.test(part);
}

/** Say that a record could stand under the state key; null when that need not be said. */
export async function checkIdentifier(shapes, key, isAbsent) {
  const [app, name, ...parts] = key.split("/");
  const shape = shapes?.kinds?.[app]?.[name];
  if (shape === undefined) {
    return unknown({ app, name }, isAbsent);
  }
  const fits = parts.every(isKeyPart) && (await isKey(shapes, shape, parts));
  if (fits === null) {
    return unknown({ app, name }, isAbsent);
  }
  require(
    fits,
    say("No {kind} can have this identifier; it has the form {form}.", {
      kind: name,
      form: Array.from(shape.form).slice(0, PARAM_TEXT_MAX).join(""),
    }),
  );
  return say("complete: a {name} with it would stand under exactly this key", { name });
}

function unknown(place, isAbsent) {
  if (!isAbsent) {
    return null; // what is there needs no form to be there
  }
  throw new Unjudged(
    say(
      "this release does not know {app}/{name}, so it cannot tell whether a record could ever have this identifier: use a release that knows it",
      place,
    ),
  );
}

/** Whether parts are those of a record of a kind; null when this release cannot tell. */
async function isKey(shapes, shape, parts) {
  if (shape.parts !== null && !isSpelt(shape.parts, parts)) {
    return false;
  }
  if (shape.rule === undefined) {
    return true;
  }
  if (shape.rule === null) {
    return null;
  }
  const found = new RegExp(`^(?:${shape.rule.pattern})$`, "u").exec(parts.join("/"));
  return found !== null && holds(shapes, shape.rule.checks, found.groups ?? {});
}

async function holds(shapes, checks, groups) {
  for (const [name, ...about] of checks) {
    const check = CHECKS[name];
    if (check === undefined) {
      return null;
    }
    const texts = about.map((each) => (each in groups ? groups[each] : each));
    const answer = texts[0] === undefined || (await check(shapes, ...texts));
    if (answer !== true) {
      return answer;
    }
  }
  return true;
}

// What rules may ask of parts of an identifier; a group that is not there is not asked.
const CHECKS = {
  identifier: (shapes, scheme, value) => isIdentifier(shapes.schemes, scheme, value),
  escaped: (_shapes, text, plain, sizeMax) => isEscaped(text, plain, Number(sizeMax)),
  public_key: (_shapes, key) => isUsableKey(decodeQuietly(key)),
};

/** Whether `~XX` and plain characters are the one spelling of a short text without outer spaces. */
function isEscaped(text, plain, sizeMax) {
  const isPlain = new RegExp(`^[${plain}]$`, "u");
  const bytes = [];
  for (const [piece, hex] of text.matchAll(/~([0-9A-F]{2})|[^~]|~/gu)) {
    const byte = hex === undefined ? piece.charCodeAt(0) : Number.parseInt(hex, 16);
    const isOwn = isPlain.test(String.fromCharCode(byte));
    if (isOwn !== (hex === undefined)) {
      return false;
    }
    bytes.push(byte);
  }
  let meant;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    meant = decoder.decode(Uint8Array.from(bytes));
  } catch {
    return false;
  }
  const size = Array.from(meant).length;
  return size > 0 && size <= sizeMax && !/^[ \t\r\n]|[ \t\r\n]$/u.test(meant);
}

function decodeQuietly(text) {
  try {
    return decodeBase64url(text);
  } catch {
    return new Uint8Array();
  }
}

// --- parts by their types ---

function isSpelt(shapes, parts) {
  return (
    parts.length === shapes.length && shapes.every((shape, place) => fitsPart(shape, parts[place]))
  );
}

function fitsPart(shape, part) {
  if (shape.words !== undefined) {
    return shape.words.includes(part);
  }
  return shape.integer === true ? fitsInteger(shape, part) : fitsText(shape, part);
}

function fitsText({ pattern, min = 0, max = Infinity }, part) {
  const isLong = part.length >= min && part.length <= max; // parts are ASCII
  return isLong && (pattern === undefined || new RegExp(pattern, "u").test(part));
}

function fitsInteger({ digits = 0, min, max }, part) {
  const number = digits > 0 ? part.replace(/^0+/u, "") || "0" : part;
  if (!DECIMAL.test(number) || pad(number, digits) !== part) {
    return false;
  }
  const value = BigInt(number);
  return (
    value <= INTEGER_MAX &&
    value >= -INTEGER_MAX &&
    (min === undefined || value >= BigInt(min)) &&
    (max === undefined || value <= BigInt(max))
  );
}

/** As Python's zfill: a sign stays in front. */
function pad(number, digits) {
  return number.startsWith("-")
    ? `-${number.slice(1).padStart(digits - 1, "0")}`
    : number.padStart(digits, "0");
}
