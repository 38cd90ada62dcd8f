// The facts of a bundle: records of the ledger, or that there are none, each held to the header. Pure.
//
// As src/hansa/client/bundles.py.

import { decodeBase64url } from "../base64url.js";
import { decodeCanonical } from "../canonical.js";
import { encodeText } from "../digests.js";
import { isKeyPart } from "./identifiers.js";
import { Failed, require, say, Unjudged } from "./reasons.js";
import { verifyStateProof } from "./state_proof.js";

const RECORD_BYTES_MAX = 128_000;
const NOTHING = "null";

/** Whether a fact says that there is no record. */
export function isNothing(record) {
  return record.length === NOTHING.length && new TextDecoder().decode(record) === NOTHING;
}

/** The facts of a bundle by state key: their records as values, null for what is not there. */
export async function readFacts(file) {
  require(
    file.header.height === BigInt(file.height) + 1n,
    say("the header does not carry the state of the height that the file names"),
  );
  const facts = new Map();
  for (const { key, proof, record } of file.facts) {
    require(
      !facts.has(key) && key.split("/").every(isKeyPart),
      say("a fact stands twice, or under no key that state can have"),
    );
    const isAbsent = isNothing(record);
    const value = decodeCanonical(record, RECORD_BYTES_MAX);
    await verifyStateProof(file.header.app_hash, encodeText(key), isAbsent ? null : record, proof);
    facts.set(key, isAbsent ? null : value);
  }
  return facts;
}

/** A fact; null when it is proved that there is none. Throws Unjudged when the bundle has it not. */
export function find(facts, key) {
  if (!facts.has(key)) {
    throw new Unjudged(say("the bundle does not prove {key}", { key }));
  }
  return facts.get(key);
}

/** Base64url to bytes; Failed for anything else. */
export function readBytes(text) {
  try {
    return decodeBase64url(text);
  } catch {
    throw new Failed(say("it is not base64url"));
  }
}
