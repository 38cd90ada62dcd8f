// Transactions of several signers on their way from one to the next (src/hansa/client/drafts.py).
//
// A draft is {payload, signers, signatures}: the bytes that are signed, the names of the keys that
// must sign, and [protected header, signature] by key. Its file is the one of `hansa tx sign`.

import { decodeBase64url, encodeBase64url, encodeHex } from "./base64url.js";
import { CanonicalError, decodeCanonical, encodeCanonical } from "./canonical.js";
import { sha256 } from "./digests.js";
import { signCompact } from "./jws.js";
import { needKey, sign } from "./keys.js";
import { buildPayload, TRANSACTION_BYTES_MAX } from "./transaction.js";
import { askJson } from "./wire.js";

/** The others may sign until tomorrow: as long as the ledger lets a transaction wait. */
const BLOCKS = 9_999;

/** A new draft of `request` (transaction.js), with `signers`, which its first signer signs. */
export async function beginDraft(request) {
  await needKey(request.signers[0]);
  const { height } = await askJson("/v1/status");
  const payload = buildPayload({ ...request, height, blocks: BLOCKS });
  const draft = { payload, signers: request.signers, signatures: {} };
  return signDraft(draft, request.signers[0]);
}

/**
 * A draft as the console's page tells it: payload in base64url. Throws CanonicalError when the
 * payload is not what a ledger takes, or its signers are others than those that are told.
 */
export function readDraft({ payload, signers, signatures }) {
  const bytes = decodeBase64url(payload);
  const content = decodeCanonical(bytes, TRANSACTION_BYTES_MAX);
  if (JSON.stringify(content.signers) !== JSON.stringify(signers)) {
    throw new CanonicalError("its signers are others");
  }
  return { payload: bytes, signers, signatures: { ...signatures } };
}

/** The draft with the signature of one more key, which is in this browser. Throws NoKey. */
export async function signDraft(draft, kid) {
  const key = await needKey(kid);
  const jws = await signCompact(draft.payload, key, (bytes) => sign(key, bytes));
  const [protectedHeader, , signature] = jws.split(".");
  const signatures = { ...draft.signatures, [kid]: [protectedHeader, signature] };
  return { ...draft, signatures };
}

/** The keys that have not signed yet. */
export function listMissing({ signers, signatures }) {
  return signers.filter((kid) => !Object.hasOwn(signatures, kid));
}

/** The transaction's id, which does not depend on the signatures: 64 hex digits. */
export async function computeId(draft) {
  return encodeHex(await sha256(draft.payload));
}

/** The file: the transaction itself once all have signed. */
export function encodeDraft({ payload, signers, signatures }) {
  const text = encodeBase64url(payload);
  const parts = signers.filter((kid) => Object.hasOwn(signatures, kid)).map((kid) => signatures[kid]);
  if (signers.length === 1 && parts.length === 1) {
    return `${parts[0][0]}.${text}.${parts[0][1]}`;
  }
  const listed = parts.map(([header, signature]) => ({ protected: header, signature }));
  return new TextDecoder().decode(encodeCanonical({ payload: text, signatures: listed }));
}

/** What is signed, for people: the very payload, in lines. */
export function showDraft({ payload }) {
  return JSON.stringify(decodeCanonical(payload, TRANSACTION_BYTES_MAX), null, 2);
}
