// Keys of this browser: made here or opened from a key file, kept non-extractable in IndexedDB.
//
// A key is {kid, name, alg, jwk, account, kept, secret}: `secret` is a CryptoKey that no script can
// export; `kept` false: forgotten at sign-out. Only the modules that build what is signed call sign().

import { decodeBase64url, encodeBase64url } from "./base64url.js";
import { encodeCanonical } from "./canonical.js";
import { concat, encodeText, hasCryptography, sha256 } from "./digests.js";
import { lowerS } from "./p256.js";
import { getEntry, listEntries, putEntry, removeEntries } from "./store.js";

const STORE = "keys";
const ALGORITHMS = {
  EdDSA: { name: "Ed25519" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
};
const KID = /^did:hansa:[a-z2-7]{32}#[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/u;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const DID_BYTES = 20;

/** The key that is asked for is not in this browser. */
export class NoKey extends Error {}

/** This page may not use the browser's cryptography, or the browser knows no such key. */
export class NoCryptography extends Error {}

/** Keys of this browser, by name. */
export async function listKeys() {
  const keys = await listEntries(STORE);
  return keys.sort((one, other) => one.name.localeCompare(other.name));
}

/** The key named `kid`, or undefined. */
export function findKey(kid) {
  return getEntry(STORE, kid);
}

/** The key named `kid`. Throws NoKey. */
export async function needKey(kid) {
  const key = await findKey(kid);
  if (key === undefined) {
    throw new NoKey(`the key ${kid} is not in this browser`);
  }
  return key;
}

/**
 * Make a key that never leaves this browser. alg: "EdDSA" or "ES256"; account: the DID that it
 * shall sign for, "" for one of its own; fragment: its name in the account. It is not stored yet.
 */
export async function makeKey({ name, alg = "EdDSA", account = "", fragment = "k1" }) {
  needCryptography();
  let pair;
  try {
    pair = await crypto.subtle.generateKey(ALGORITHMS[alg], false, ["sign", "verify"]);
  } catch (error) {
    throw new NoCryptography(`this browser makes no ${alg} keys`, { cause: error });
  }
  const jwk = trimJwk(await crypto.subtle.exportKey("jwk", pair.publicKey));
  const did = account || (await computeDid(jwk));
  return describeKey({ name, kid: `${did}#${fragment}`, alg, jwk, secret: pair.privateKey });
}

/**
 * A key of given parts: jwk (public, required members only), secret: its `d` in base64url. Throws
 * TypeError when they do not belong together. It is not stored yet.
 */
export async function importKey({ name, kid, jwk, secret }) {
  needCryptography();
  const alg = jwk.kty === "OKP" ? "EdDSA" : "ES256";
  const plain = { ...jwk, d: secret };
  let key;
  try {
    key = await crypto.subtle.importKey("jwk", plain, ALGORITHMS[alg], false, ["sign"]);
  } catch (error) {
    throw new TypeError("the private key cannot be read", { cause: error });
  }
  const made = describeKey({ name, kid, alg, jwk, secret: key });
  const probe = encodeText("hansa: do these parts belong together?");
  if (!(await verifies(made, probe, await sign(made, probe)))) {
    throw new TypeError("the private and public part do not belong together");
  }
  return made;
}

/** Keep a key in this browser; `kept` false: until sign-out only. */
export async function storeKey(key, { kept = true } = {}) {
  await putEntry(STORE, { ...key, kept });
}

/** Forget a key for good: nobody has a copy of one that was made here. */
export function forgetKey(kid) {
  return removeEntries(STORE, [kid]);
}

/** Forget the keys that were opened for one session only. */
export async function forgetLent() {
  const lent = (await listEntries(STORE)).filter((key) => !key.kept).map((key) => key.kid);
  if (lent.length > 0) {
    await removeEntries(STORE, lent);
  }
}

/** Signature of bytes: 64 bytes, ES256 as raw r||s with low s (decision D2). */
export async function sign(key, bytes) {
  needCryptography();
  const made = await crypto.subtle.sign(ALGORITHMS[key.alg], key.secret, bytes);
  const signature = new Uint8Array(made);
  return key.alg === "ES256" ? lowerS(signature) : signature;
}

/** DID of the account that a key opens: base32 of 20 bytes of SHA-256 of its JWK (D18). */
export async function computeDid(jwk) {
  const digest = (await sha256(encodeCanonical(jwk))).subarray(0, DID_BYTES);
  let held = 0n;
  for (const byte of digest) {
    held = (held << 8n) | BigInt(byte);
  }
  let text = "";
  for (let shift = DID_BYTES * 8 - 5; shift >= 0; shift -= 5) {
    text += BASE32[Number((held >> BigInt(shift)) & 31n)];
  }
  return `did:hansa:${text}`;
}

/** The public key as messages carry it: {alg, public}: raw key in base64url. */
export function describePublic(key) {
  const { x, y } = key.jwk;
  return { alg: key.alg, public: y === undefined ? x : joinCoordinates(x, y) };
}

async function verifies(key, bytes, signature) {
  const algorithm = ALGORITHMS[key.alg];
  const known = await crypto.subtle.importKey("jwk", key.jwk, algorithm, false, ["verify"]);
  return crypto.subtle.verify(algorithm, known, signature, bytes);
}

function describeKey({ name, kid, alg, jwk, secret }) {
  if (!KID.test(kid)) {
    throw new TypeError("not the name of a key (did:hansa:…#fragment)");
  }
  return { kid, name, alg, jwk, account: kid.split("#")[0], secret, kept: true };
}

function trimJwk({ kty, crv, x, y }) {
  return y === undefined ? { crv, kty, x } : { crv, kty, x, y };
}

function needCryptography() {
  if (!hasCryptography()) {
    throw new NoCryptography("the browser gives its cryptography to https and loopback pages only");
  }
}

function joinCoordinates(x, y) {
  return encodeBase64url(concat(decodeBase64url(x), decodeBase64url(y)));
}
