// Ed25519 as the ledger judges it (ZIP-215, as CometBFT and ed25519-zebra do). Touches WebCrypto only.
//
// Whatever the browser's own, stricter check takes, ZIP-215 takes too. What the browser refuses, or
// cannot judge, is judged here exactly: other encodings of a point, points of small order. Source:
// ZIP 215; RFC 8032 section 5.1.

import { concat } from "../digests.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const SQRT_MINUS_ONE = 19681161376707505956807079304988542015446066515923890162744021073123829784752n;
const ZERO = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE = makePoint(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
);

/** Whether a signature (64 bytes) of a message holds under a public key (32 bytes). */
export async function verifyEd25519(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) {
    return false;
  }
  return (
    (await verifyNatively(publicKey, message, signature)) ||
    verifyExactly(publicKey, message, signature)
  );
}

async function verifyNatively(publicKey, message, signature) {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false; // this browser has no Ed25519, or dislikes the key
  }
}

/** ZIP-215 itself: [8](sB - hA - R) is the neutral point, s below the order. For tests exported. */
export async function verifyExactly(publicKey, message, signature) {
  const s = readNumber(signature.subarray(32));
  const a = decompress(publicKey);
  const r = decompress(signature.subarray(0, 32));
  if (s >= ORDER || a === null || r === null) {
    return false;
  }
  const input = concat(signature.subarray(0, 32), publicKey, message);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", input));
  const h = readNumber(digest) % ORDER;
  const left = add(multiply(BASE, s), add(multiply(negate(a), h), negate(r)));
  const eight = double(double(double(left)));
  return eight.x === 0n && eight.y === eight.z;
}

/** The point of 32 bytes, in any of its encodings; null when there is none. */
function decompress(bytes) {
  const number = readNumber(bytes);
  const y = (number & (2n ** 255n - 1n)) % P;
  const isNegative = number >> 255n === 1n;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  // x = u v^3 (u v^7)^((p - 5) / 8), times sqrt(-1) when that is the other root.
  const v3 = mod(v * v * v);
  let x = mod(u * v3 * power(mod(u * v3 * v3 * v), (P - 5n) / 8n));
  const check = mod(v * x * x);
  if (check === mod(-u) && u !== 0n) {
    x = mod(x * SQRT_MINUS_ONE);
  } else if (check !== u) {
    return null;
  }
  return makePoint((x & 1n) === 1n === isNegative ? x : mod(-x), y);
}

function makePoint(x, y) {
  return { x, y, z: 1n, t: mod(x * y) };
}

function negate({ x, y, z, t }) {
  return { x: mod(-x), y, z, t: mod(-t) };
}

function double(point) {
  return add(point, point);
}

/** RFC 8032 section 5.1.4; complete on this curve. */
function add(one, other) {
  const a = mod((one.y - one.x) * (other.y - other.x));
  const b = mod((one.y + one.x) * (other.y + other.x));
  const c = mod(2n * D * one.t * other.t);
  const d = mod(2n * one.z * other.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function multiply(point, scalar) {
  let sum = ZERO;
  let doubled = point;
  for (let left = scalar; left > 0n; left >>= 1n) {
    if (left & 1n) {
      sum = add(sum, doubled);
    }
    doubled = double(doubled);
  }
  return sum;
}

function power(base, exponent) {
  let product = 1n;
  let squared = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) {
      product = mod(product * squared);
    }
    squared = mod(squared * squared);
  }
  return product;
}

function mod(number) {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

/** Little-endian. */
function readNumber(bytes) {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
