// SHA-256 by the browser's own WebCrypto, and joining bytes. Touches nothing else.

/** Whether this page may use the browser's cryptography: https, or this very machine. */
export function hasCryptography() {
  return globalThis.isSecureContext !== false && globalThis.crypto?.subtle !== undefined;
}

/** SHA-256 of bytes: 32 bytes. */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Byte arrays one after another. */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    joined.set(part, place);
    place += part.length;
  }
  return joined;
}

/** Whether two byte arrays are the same. Not for secrets. */
export function isSame(one, other) {
  return one.length === other.length && one.every((byte, place) => byte === other[place]);
}

/** Like bytes.__lt__: -1, 0 or 1. */
export function compareBytes(one, other) {
  const size = Math.min(one.length, other.length);
  for (let place = 0; place < size; place += 1) {
    if (one[place] !== other[place]) {
      return one[place] < other[place] ? -1 : 1;
    }
  }
  return Math.sign(one.length - other.length);
}

/** UTF-8 of a text. */
export function encodeText(text) {
  return new TextEncoder().encode(text);
}
