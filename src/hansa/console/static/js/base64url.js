// Strict text forms of bytes: base64url without padding (RFC 7515), base64 with padding, hex. Pure.

const URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PLAIN_ALPHABET = `${URL_ALPHABET.slice(0, 62)}+/`;
const URL_VALUES = invert(URL_ALPHABET);
const PLAIN_VALUES = invert(PLAIN_ALPHABET);

/** Text that is not the one strict form of some bytes. */
export class TextError extends Error {}

/** Bytes to base64url without padding. */
export function encodeBase64url(bytes) {
  return encode(bytes, URL_ALPHABET);
}

/** Base64url to bytes. Throws TextError for padding, other alphabets, loose trailing bits. */
export function decodeBase64url(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/u.test(text) || text.length % 4 === 1) {
    throw new TextError("not base64url without padding");
  }
  return decode(text, URL_VALUES, "base64url has loose trailing bits");
}

/** Base64 with padding (RFC 4648 section 4) to bytes, as strictly. Throws TextError. */
export function decodeBase64(text) {
  const bare = text.replace(/={1,2}$/u, "");
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/u.test(bare)) {
    throw new TextError("not base64");
  }
  return decode(bare, PLAIN_VALUES, "base64 has loose trailing bits");
}

/** Bytes to lower-case hex. */
export function encodeHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function invert(alphabet) {
  const values = new Uint8Array(128);
  Array.from(alphabet).forEach((character, value) => {
    values[character.charCodeAt(0)] = value;
  });
  return values;
}

function encode(bytes, alphabet) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 3) {
    const size = Math.min(3, bytes.length - start);
    const triple = (bytes[start] << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0);
    for (let place = 0; place <= size; place += 1) {
      text += alphabet[(triple >> (18 - 6 * place)) & 63];
    }
  }
  return text;
}

function decode(text, values, loose) {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let written = 0;
  for (let place = 0; place < text.length; place += 1) {
    held = ((held << 6) | values[text.charCodeAt(place)]) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[written] = (held >> bits) & 0xff;
      written += 1;
    }
  }
  if (held & ((1 << bits) - 1)) {
    throw new TextError(loose);
  }
  return bytes;
}
