// What Data Integrity proofs with JCS sign (RFC 8785), and base58 for their values. Pure.

import { concat, encodeText, sha256 } from "../digests.js";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const LONE_SURROGATE = /\p{Surrogate}/u;

/** RFC 8785 of a JSON value. Throws TypeError for what JSON has not. */
export function canonicalize(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonicalize).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.keys(value).sort().map((name) => `${write(name)}:${canonicalize(value[name])}`);
    return `{${members.join(",")}}`;
  }
  return write(value);
}

function write(value) {
  const isEndless = typeof value === "number" && !Number.isFinite(value);
  if (isEndless || (typeof value === "string" && LONE_SURROGATE.test(value))) {
    throw new TypeError("no JSON value");
  }
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError("no JSON value");
  }
  return text;
}

/** What a proof signs: SHA-256 of its options, then of the document without its proofs. */
export async function hashSecured(document, config) {
  const { proof: _proof, ...unsecured } = document;
  const parts = [config, unsecured].map((each) => sha256(encodeText(canonicalize(each))));
  return concat(...(await Promise.all(parts)));
}

/** Bytes in multibase base58btc: `z`, then Bitcoin's letters. */
export function encodeBase58(bytes) {
  let held = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = "";
  for (; held > 0n; held /= 58n) {
    text = BASE58[Number(held % 58n)] + text;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return `z${BASE58[0].repeat(zeros < 0 ? bytes.length : zeros)}${text}`;
}

/** Bytes of multibase base58btc, null for anything else, and for more than a signature has. */
export function decodeBase58(text) {
  if (!/^z[1-9A-HJ-NP-Za-km-z]{1,100}$/u.test(text)) {
    return null;
  }
  const digits = text.slice(1);
  let held = 0n;
  for (const digit of digits) {
    held = held * 58n + BigInt(BASE58.indexOf(digit));
  }
  const bytes = [];
  for (; held > 0n; held >>= 8n) {
    bytes.unshift(Number(held & 255n));
  }
  const zeros = digits.length - digits.replace(/^1+/u, "").length;
  return Uint8Array.from([...new Array(zeros).fill(0), ...bytes]);
}
