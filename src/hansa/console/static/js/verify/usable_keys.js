// Whether a public key is one that an account may use, as crypto/signatures.py has it (D2).

import { concat } from "../digests.js";

const P25519 = 2n ** 255n - 19n;
/** The y coordinates of the points of small order. */
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  P25519 - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

/** Raw Ed25519 (32 bytes) or P-256 (64 bytes, x||y). */
export function isUsableKey(raw) {
  if (raw.length === 32) {
    return isUsableEd25519(raw);
  }
  return raw.length === 64 ? isOnP256(raw) : false;
}

/** In canonical form, and not of small order: under such a key any signature would pass. */
export function isUsableEd25519(raw) {
  const number = raw.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const y = number & (2n ** 255n - 1n);
  return y < P25519 && !SMALL_ORDER_Y.has(y);
}

async function isOnP256(raw) {
  const point = concat(Uint8Array.of(4), raw);
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  try {
    await crypto.subtle.importKey("raw", point, curve, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}
