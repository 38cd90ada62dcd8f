// What the verifier says, in the page's language.

import { say } from "../words.js";

/** Names of the checks, in the words of templates/verify_checks.html. */
const NAMES = {
  file: () => say("The file"),
  "trust root": () => say("Trust root"),
  validators: () => say("Validators"),
  header: () => say("Block header"),
  headers: () => say("Headers on the way"),
  "trust path": () => say("Path from the trust root"),
  inclusion: () => say("Inclusion in the block"),
  result: () => say("Result"),
  standing: () => say("Standing of the signer"),
  state: () => say("State of the ledger"),
  identifier: () => say("Identifier"),
  facts: () => say("Facts of the ledger"),
  format: () => say("Form of the credential"),
  proof: () => say("Signature of the credential"),
  "issuer key": () => say("Key of the issuer"),
  validity: () => say("Time of validity"),
  schema: () => say("Schema of the credential"),
  status: () => say("Not revoked, not suspended"),
  accreditation: () => say("Issuer was entitled then"),
  "accreditation now": () => say("Issuer is entitled now"),
  freshness: () => say("How new the facts are"),
};

/** Name of a check for people. */
export function nameStep(name) {
  return NAMES[name]();
}

/** Where a check is explained. */
export function linkStep(name) {
  return `/verify/checks#${name.replaceAll(" ", "-")}`;
}

/** A reason in the page's language. */
export function writeReason(reason) {
  return reason.write((template) => say(template));
}

/** What to do about what is missing, on this page (foundation.js CURES). */
export const PAGE_CURES = {
  pinFirst: () => say("pin the league's genesis or a checkpoint below"),
  pinGenesis: () => say("pin the league's genesis below, or fetch the file anew"),
  pinNewer: () => say("pin a newer checkpoint below, from a member, over a channel that you trust"),
  fetchAnew: () => say("fetch the file anew, to lead from the newer pinned checkpoint"),
  fetchFrom: (height) => say("fetch it anew with ?trusted={height}", { height }),
};

/** The verdict in one sentence: what is proved, or that nothing is. */
export function summarise(verdict) {
  if (verdict.outcome === "no") {
    return say("No. What this file says is not proved: do not rely on it.");
  }
  if (verdict.outcome === "could_not_judge" && verdict.kind === "bundle" && isJudgedHere(verdict)) {
    return say("Nothing is wrong in what the browser judges of a credential: see below. Its form and its schema are judged by hansa verify, or on the page Check a credential.");
  }
  if (verdict.outcome === "could_not_judge") {
    return say("Could not judge. Nothing in the file is wrong, but it cannot be told whether it is true.");
  }
  if (verdict.kind === "checkpoint") {
    return say("Yes. The league decided block {height}.", { height: verdict.height });
  }
  if (verdict.kind === "state proof") {
    const places = { key: verdict.key, height: verdict.height };
    return verdict.there
      ? say("Yes. After block {height} the ledger holds {key}, as shown.", places)
      : say("Yes. After block {height} the ledger holds no {key}.", places);
  }
  const places = { height: verdict.height, code: verdict.code };
  return verdict.accepted
    ? say("Yes. The ledger ACCEPTED this message in block {height}.", places)
    : say("Yes. The ledger REFUSED this message in block {height}: {code}.", places);
}

/** Whether only that is open which no browser judges. */
function isJudgedHere({ steps }) {
  return steps.every(({ name, ok }) => ok !== null || name === "format" || name === "schema");
}

/** Each word that canonical.js may refuse with, so that it is translated too. */
export const CANONICAL_WORDS = [
  say("not JSON"),
  say("nested deeper than 16"),
  say("a key is not ASCII"),
  say("a string is not Unicode text"),
  say("an integer is beyond 2**53 - 1"),
  say("a number is not an integer, or is beyond 2**53 - 1"),
  say("not in canonical form (order of keys, spaces, escapes or repeated keys)"),
  say("a field is missing, unknown, of another type or out of bounds"),
];
