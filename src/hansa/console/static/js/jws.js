// Compact JWS over bytes that the caller has built (RFC 7515): header exactly {alg, kid}. Pure.

import { encodeBase64url } from "./base64url.js";
import { encodeCanonical } from "./canonical.js";
import { encodeText } from "./digests.js";

/**
 * The compact JWS of `payload` (bytes). `key`: {kid, alg}; `sign`: bytes => Promise of 64 bytes.
 */
export async function signCompact(payload, key, sign) {
  const header = encodeBase64url(encodeCanonical({ alg: key.alg, kid: key.kid }));
  const input = `${header}.${encodeBase64url(payload)}`;
  return `${input}.${encodeBase64url(await sign(encodeText(input)))}`;
}
