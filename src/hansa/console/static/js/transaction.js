// Sign a transaction in the browser and send it. Nothing is signed that was not built right here.
//
// signAndSend() takes messages, not bytes: it builds the payload as src/hansa/client/transactions.py
// does, signs it with a key of this browser and posts the JWS to this gateway (POST /v1/transactions).

import { encodeBase64url, encodeHex } from "./base64url.js";
import { encodeCanonical } from "./canonical.js";
import { sha256 } from "./digests.js";
import { signCompact } from "./jws.js";
import { needKey, sign } from "./keys.js";
import { askJson, Problem, Unreachable } from "./wire.js";

/** Heights for which a transaction may wait (primitives/limits.py EXPIRY_WINDOW). */
const EXPIRY_WINDOW = 10_000;
/** Long enough for a night's outage at a block a second. */
export const EXPIRY_DEFAULT = EXPIRY_WINDOW / 2;
/** Limits of one transaction (primitives/limits.py). */
const MESSAGES_MAX = 500;
const MESSAGE_BYTES_MAX = 256_000;
export const TRANSACTION_BYTES_MAX = 1_000_000;
const ID_BYTES = 16;
/** Tries while there is no answer; the same bytes have one effect, so that this is safe (D3). */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 300;
const POLL_S = 5;

export { Problem, Unreachable };

/**
 * Build, sign and send a transaction of one signer.
 *
 * request:
 *   kid        name of the signing key (`did:hansa:…#k1`); it must be in this browser
 *   messages   [{app: "e_invoice", type: "IssueInvoice", body: {v: 1, …}}]; body: all fields of the
 *              message as plain values: strings, integers (number or BigInt), booleans, null, arrays,
 *              objects; `v` is the message's version. The order of fields does not matter.
 *   mode       "atomic" (default) or "independent"
 *   chain, height   of the league; asked from this gateway when left out
 *   blocks     how many heights from now it may wait (default EXPIRY_DEFAULT)
 *
 * Gives {id, jws, payload}: the transaction's id (64 hex), the signed text, the bytes that were
 * signed. Throws NoKey (keys.js), CanonicalError (canonical.js), Problem (the gateway's door said
 * no: code, title, detail, remedy, rule), Unreachable (perhaps it arrived; its `sent` holds
 * {id, jws, payload}: give `sent.jws` to sendSigned() again, never sign anew).
 */
export async function signAndSend(request) {
  const signed = await buildAndSign(request);
  try {
    await sendSigned(signed.jws);
  } catch (error) {
    if (error instanceof Unreachable) {
      error.sent = signed;
    }
    throw error;
  }
  return signed;
}

/** As signAndSend, without sending: {id, jws, payload}. */
export async function buildAndSign(request) {
  const key = await needKey(request.kid);
  const league = await findLeague(request);
  const payload = buildPayload({ ...request, ...league, signers: [key.kid] });
  const jws = await signCompact(payload, key, (bytes) => sign(key, bytes));
  if (jws.length > TRANSACTION_BYTES_MAX) {
    throw new Problem({ code: "ledger.malformed", title: "The transaction is too large." });
  }
  return { id: encodeHex(await sha256(payload)), jws, payload };
}

/** Send signed text; sent again after a time-out. Gives the transaction's id. */
export async function sendSigned(jws) {
  let waitMs = FIRST_WAIT_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const options = { method: "POST", body: jws, media: "application/jose" };
      return (await askJson("/v1/transactions", options)).id;
    } catch (error) {
      if (attempt === ATTEMPTS || !isWorthRepeating(error)) {
        throw error;
      }
    }
    await pause(waitMs);
    waitMs *= 2;
  }
}

/**
 * What became of a transaction, once it is final or `seconds` have passed: the gateway's answer
 * ({state, height, messages, …}) as a stranger sees it: codes; for words ask the console.
 */
export async function waitFinal(id, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const left = Math.max(0, (end - Date.now()) / 1000);
    const wait = Math.min(POLL_S, left).toFixed(1);
    const status = await askJson(`/v1/transactions/${id}?wait=${wait}`);
    if (status.state === "committed" || status.state === "invalid" || left <= 0) {
      return status;
    }
    if (status.state === "unknown") {
      await pause(FIRST_WAIT_MS);
    }
  }
}

/**
 * The canonical payload of a transaction. expiry: last height at which it may enter, else it is
 * `height` + `blocks`; unique: 16 bytes, else random.
 */
export function buildPayload(request) {
  const { chain, messages, signers, mode = "atomic" } = request;
  const expiry = request.expiry ?? chooseExpiry(request.height, request.blocks ?? EXPIRY_DEFAULT);
  const unique = request.unique ?? crypto.getRandomValues(new Uint8Array(ID_BYTES));
  if (!Array.isArray(messages) || messages.length < 1 || messages.length > MESSAGES_MAX) {
    throw new RangeError(`a transaction has 1 to ${MESSAGES_MAX} messages`);
  }
  return encodeCanonical({
    chain,
    expiry,
    id: encodeBase64url(unique),
    messages: messages.map(describeMessage),
    mode,
    signers,
    v: 1,
  });
}

function describeMessage({ app, type, body, sender = 0 }) {
  const message = { app, body, sender, type };
  if (encodeCanonical(message).length > MESSAGE_BYTES_MAX) {
    throw new RangeError(`a message has at most ${MESSAGE_BYTES_MAX} bytes`);
  }
  return message;
}

function chooseExpiry(height, blocks) {
  return height + Math.max(1, Math.min(blocks, EXPIRY_WINDOW - 1));
}

async function findLeague({ chain, height, expiry }) {
  if (chain !== undefined && (height !== undefined || expiry !== undefined)) {
    return {};
  }
  const status = await askJson("/v1/status");
  return { chain: chain ?? status.chain, height: status.height };
}

function isWorthRepeating(error) {
  return error instanceof Unreachable || (error instanceof Problem && error.isBusy);
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** UTF-8 bytes of a payload as text, for people who want to see what they sign. */
export function showPayload(payload) {
  return new TextDecoder().decode(payload);
}

