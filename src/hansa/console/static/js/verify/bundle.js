// Bundles in the browser: each fact held to the header, then what can be told of the credential.
//
// As src/hansa/client/bundles.py and identity/verify.py for the checks that are made here; the
// others say "could not judge", so that a bundle is never a yes here that Python does not give.

import { judgeChain } from "./bundle_chain.js";
import { find, isNothing, readFacts } from "./bundle_facts.js";
import { judgeProofs, readCredential } from "./bundle_proofs.js";
import { Failed, require, say, Unjudged } from "./reasons.js";

const SKEW_MS = 300_000;
const AGE_MS_MAX = 86_400_000;
const INDEX_DIGITS = 7;
const STATUS_PATH = /\/v1\/credentials\/(did:hansa:[a-z2-7]{32})\/status\/([a-z0-9][a-z0-9_-]{0,63})$/u;
/** Names of the steps of a bundle, in order. */
export const STEP_NAMES = [
  "facts", "format", "proof", "issuer key", "validity", "schema", "status", "accreditation",
  "accreditation now", "freshness",
];

/** The step "facts", and a step for each check of the document: [[name, check]]; checks throw, or
 * give null where there is nothing to tell.
 */
export function listSteps(file, now) {
  const kept = { facts: null, credential: null, proofs: null, isOpen: false };
  const asked = { atMs: toMs(now), knownMs: toMs(file.header.time) - 1 };
  const about = (judge) => () => (kept.credential === null ? null : judge(kept, asked));
  return [
    ["facts", async () => {
      kept.facts = await readFacts(file);
      return tellFacts(file);
    }],
    ["format", () => {
      kept.credential = readCredential(file.document);
      throw new Unjudged(kept.credential === null
        ? say("a presentation is not judged in the browser")
        : say("whether every letter of it is as the standards want is not judged in the browser"));
    }],
    ["proof", about(judgeProof)],
    ["issuer key", about(tellKey)],
    ["validity", about(judgeValidity)],
    ["schema", about(leaveSchema)],
    ["status", about(judgeStatuses)],
    ["accreditation", about((_kept, { atMs, knownMs }) => judgeChain(kept, Math.min(issuedMs(kept) ?? knownMs, atMs, knownMs)))],
    ["accreditation now", about((_kept, { atMs, knownMs }) => (isNamed(kept) ? judgeChain(kept, Math.min(atMs, knownMs)) : null))],
    ["freshness", () => judgeFreshness(asked)],
  ];
}

async function judgeProof(kept, asked) {
  try {
    kept.proofs = await judgeProofs(kept.credential, kept.facts, asked);
  } catch (error) {
    kept.isOpen = error instanceof Unjudged;
    throw error;
  }
  return say("signed by {method}", { method: kept.proofs.methods.join(", ") });
}

function isNamed({ credential }) {
  return credential.accreditations.length > 0;
}

function leaveSchema() {
  throw new Unjudged(say("whether its claims fit its schema is not judged in the browser"));
}

function tellFacts({ facts, height }) {
  const absent = facts.filter(({ record }) => isNothing(record)).length;
  return say("{count} fact(s) of the state after block {height}, {absent} absent", {
    count: facts.length,
    height,
    absent,
  });
}

function tellKey({ proofs, isOpen }) {
  if (isOpen) {
    throw new Unjudged(say("whose key it is could not be told"));
  }
  if (proofs === null) {
    throw new Failed(say("no proof of the issuer holds"));
  }
  if (!proofs.isLive) {
    throw new Unjudged(say("the key of the issuer has ended: that it signed before is only its own word"));
  }
  return say("the key is the issuer's, then and now");
}

function judgeValidity({ credential: { sinceMs, untilMs } }, { atMs }) {
  require(sinceMs === null || atMs >= sinceMs - SKEW_MS, say("it is not valid yet"));
  require(untilMs === null || atMs < untilMs, say("it has expired"));
  return say("it is valid at this time");
}

function judgeStatuses({ credential: { issuer, statuses }, facts }, asked) {
  if (statuses.length === 0) {
    return null;
  }
  for (const { uri, index, purpose } of statuses) {
    const [, owner, name] = STATUS_PATH.exec(pathOf(uri)) ?? [];
    if (owner === undefined) {
      throw new Unjudged(say("its status stands in no list of this ledger"));
    }
    const list = find(facts, `credentials/status_list/${owner}/${name}`);
    const isThere = owner === issuer && list !== null && index >= 0 && index < list.size;
    require(
      isThere && (purpose === "" || list.purposes.includes(purpose)),
      say("its issuer has no such status list"),
    );
    const place = String(index).padStart(INDEX_DIGITS, "0");
    const status = find(facts, `credentials/status/${owner}/${name}/${place}`);
    const value = statusAt(status?.spans ?? [], Math.min(asked.atMs, asked.knownMs));
    require(value !== "revoked", say("it is revoked"));
    require(value !== "suspended", say("it is suspended"));
  }
  checkAge(asked);
  return say("the ledger has neither a revocation nor a suspension of it");
}

function pathOf(uri) {
  try {
    return new URL(uri).pathname;
  } catch {
    return "";
  }
}

function statusAt(spans, atMs) {
  const found = spans.findLast(
    ({ since_ms: since, until_ms: until }) => since <= atMs && (until === null || atMs < until),
  );
  return found?.value ?? "valid";
}

/** When it was issued, by its proof or its own word. */
function issuedMs({ credential, proofs }) {
  return proofs?.createdMs ?? credential.issuedMs;
}

function judgeFreshness(asked) {
  checkAge(asked);
  return say("the facts are of the last day");
}

function checkAge({ atMs, knownMs }) {
  if (atMs - knownMs > AGE_MS_MAX) {
    throw new Unjudged(say("the facts are older than a day"));
  }
}

function toMs({ seconds, nanos }) {
  return Number(seconds * 1000n + nanos / 1_000_000n);
}
