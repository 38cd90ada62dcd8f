// Reading receipt, proof, checkpoint and genesis files: each type's one form, and nothing else. Pure.
//
// A reader takes a Scanner and gives a value. Integers are BigInt where the ledger's are 64 bits
// wide, numbers where a file's own are; bytes are Uint8Array; what was hashed stays as it stands.

import { decodeBase64 } from "../base64url.js";
import { INTEGER_MAX } from "../canonical.js";
import { NotInteger, NotJson, Scanner } from "../json_scanner.js";
import { Failed, say } from "./reasons.js";

/** Limits of src/hansa/client (receipts.py, checkpoints.py) and primitives/limits.py. */
export const FILE_BYTES_MAX = 4_000_000;
export const VALIDATORS_MAX = 1_000;
export const EMPTY_HEADERS = Object.freeze([]);
const HEADERS_MAX = 64;
const EVENTS_MAX = 64;
/** Limits of src/hansa/client/bundles.py. */
const FACTS_MAX = 256;
const DOCUMENT_CHARACTERS_MAX = 260_000;
const ZERO_TIME_SECONDS = -62_135_596_800n;
const TIME_SECONDS_MAX = 253_402_300_799n;
const NANOS = 1_000_000_000n;

/** Bytes that are JSON but not of the type. */
class WrongForm extends Error {}

/** Bytes of the type, but not in its one spelling. */
class NotCanonical extends Error {}

function need(condition, text) {
  if (!condition) {
    throw new WrongForm(text);
  }
}

/** Whether {seconds, nanos} is a moment that protobuf's Timestamp can hold. */
export function isTime({ seconds, nanos }) {
  const isSecond = seconds >= ZERO_TIME_SECONDS && seconds <= TIME_SECONDS_MAX;
  return isSecond && nanos >= 0n && nanos < NANOS;
}

// --- readers of values ---

const integer = (scanner) => scanner.integer();

/** An integer from 0 to 2**53 - 1, as a number. */
function count(scanner) {
  const value = scanner.integer();
  need(value >= 0n && value <= BigInt(INTEGER_MAX), "a number is out of bounds");
  return Number(value);
}

const text = (scanner) => scanner.string();

function bytes(scanner) {
  try {
    return decodeBase64(scanner.string());
  } catch (error) {
    const isLoose = error.message.includes("loose");
    throw new (isLoose ? NotCanonical : WrongForm)(error.message, { cause: error });
  }
}

/** A document: as many characters (code points) as Python counts. */
function bounded(scanner) {
  const value = scanner.string();
  const isLong = value.length > DOCUMENT_CHARACTERS_MAX && Array.from(value).length > DOCUMENT_CHARACTERS_MAX;
  need(!isLong, "a document is too long");
  return value;
}

/** The bytes of a value, as they stand. */
const raw = (scanner) => scanner.skip();

const nullable = (read) => (scanner) => (scanner.takesWord("null") ? null : read(scanner));

const oneOf = (...values) => (scanner) => {
  const value = scanner.string();
  need(values.includes(value), `${value.slice(0, 20)} is not one of ${values.join(", ")}`);
  return value;
};

const listOf = (read, sizeMax = Infinity) => (scanner) => {
  scanner.expect("[");
  const items = [];
  if (scanner.takes("]")) {
    return items;
  }
  do {
    items.push(read(scanner));
    need(items.length <= sizeMax, "a list is too long");
  } while (scanner.takes(","));
  scanner.expect("]");
  return items;
};

/** An object of exactly these fields in this order; `optional` ones are left out when empty. */
const struct = (fields, { optional = {}, check = () => true } = {}) => {
  const names = Object.keys(fields);
  return (scanner) => {
    const value = { ...optional };
    scanner.expect("{");
    let place = 0;
    while (!scanner.takes("}")) {
      if (place > 0) {
        scanner.expect(",");
      }
      const name = scanner.string();
      while (names[place] !== name && names[place] in optional) {
        place += 1;
      }
      if (names[place] !== name) {
        throw misplaced(name, names);
      }
      scanner.expect(":");
      value[name] = fields[name](scanner);
      if (name in optional && value[name].length === 0) {
        throw new NotCanonical(`${name} is empty`);
      }
      place += 1;
    }
    need(names.slice(place).every((name) => name in optional), "a field is missing");
    need(check(value), "a value is out of range");
    return value;
  };
};

function misplaced(name, names) {
  return names.includes(name)
    ? new NotCanonical(`${name} is out of order, or there twice`)
    : new WrongForm(`a field is unknown: ${name.slice(0, 20)}`);
}

// --- what CometBFT's types are made of (comet/header.py, commit.py, validators.py, wire.py) ---

const timestamp = struct({ nanos: integer, seconds: integer }, { check: isTime });
const partSetHeader = struct({ hash: bytes, total: integer });
const blockId = struct({ hash: bytes, parts: partSetHeader });
const header = struct({
  app_hash: bytes,
  chain_id: text,
  consensus_hash: bytes,
  data_hash: bytes,
  evidence_hash: bytes,
  height: integer,
  last_block_id: blockId,
  last_commit_hash: bytes,
  last_results_hash: bytes,
  next_validators_hash: bytes,
  proposer_address: bytes,
  time: timestamp,
  validators_hash: bytes,
  version: struct({ app: integer, block: integer }),
});
const commitSig = struct({ address: bytes, flag: integer, signature: bytes, time: timestamp });
const commit = struct({
  block_id: blockId,
  height: integer,
  round: integer,
  signatures: listOf(commitSig),
});
const validator = struct({ power: integer, public_key: bytes });
const lightBlock = struct({ commit, header, validators: listOf(validator) });
const validators = listOf(validator, VALIDATORS_MAX);
const headers = listOf(lightBlock, HEADERS_MAX);

// --- what our own are made of (client/receipts.py, client/checkpoints.py, ledger/tree_proof.py) ---

const merklePath = listOf(struct({ hash: bytes, side: oneOf("left", "right") }));
const neighbour = struct({ key: text, siblings: listOf(text), value: text });
const stateProof = struct({
  key: text,
  left: nullable(neighbour),
  right: nullable(neighbour),
  siblings: listOf(text),
  value: nullable(text),
});
const provenRecord = struct({ proof: stateProof, record: raw });
const standing = struct({ account: provenRecord, member: provenRecord });
const inTransaction = struct({ code: count, cost: count, path: merklePath });
const WITHOUT_HEADERS = { optional: { headers: EMPTY_HEADERS } };

const FILES = {
  "hansa.receipt/1": struct(
    {
      block: nullable(provenRecord),
      chain: text,
      commit,
      events: nullable(listOf(raw, EVENTS_MAX)),
      header,
      headers,
      height: count,
      kind: text,
      message: raw,
      path: merklePath,
      result: raw,
      standing: nullable(standing),
      transaction: nullable(inTransaction),
      validators,
    },
    WITHOUT_HEADERS,
  ),
  "hansa.proof/1": struct(
    {
      chain: text,
      commit,
      header,
      headers,
      height: count,
      key: text,
      kind: text,
      proof: stateProof,
      record: raw,
      validators,
    },
    WITHOUT_HEADERS,
  ),
  "hansa.bundle/1": struct(
    {
      chain: text,
      commit,
      document: bounded,
      facts: listOf(struct({ key: text, proof: stateProof, record: raw }), FACTS_MAX),
      header,
      headers,
      height: count,
      kind: text,
      validators,
    },
    { optional: { document: "", headers: EMPTY_HEADERS } },
  ),
  "hansa.checkpoint/1": struct(
    { chain: text, commit, header, headers, kind: text, validators },
    WITHOUT_HEADERS,
  ),
};
/** Names of the kinds of files, for people. */
export const KINDS = {
  "hansa.receipt/1": "receipt",
  "hansa.proof/1": "state proof",
  "hansa.checkpoint/1": "checkpoint",
  "hansa.bundle/1": "bundle",
};

// --- files ---

/** The file in these bytes, which must be the one encoding of what it says. Throws Failed. */
export function readFile(data) {
  if (data.length > FILE_BYTES_MAX) {
    const limit = { limit: FILE_BYTES_MAX };
    throw new Failed(say("larger than any receipt, which has at most {limit} bytes", limit));
  }
  try {
    return readStrictly(data);
  } catch (error) {
    if (error instanceof NotCanonical) {
      throw new Failed(
        say("not in canonical form: it was changed, or written by something else"),
      );
    }
    if (![WrongForm, NotJson, NotInteger].some((kind) => error instanceof kind)) {
      throw error;
    }
    const why = { why: error.message };
    throw new Failed(say("not a receipt, proof, checkpoint or bundle: {why}", why));
  }
}

function readStrictly(data) {
  const scanner = new Scanner(data);
  const file = FILES[findKind(data)](scanner);
  scanner.end();
  if (!scanner.isCanonical) {
    throw new NotCanonical("spaces, escapes or numbers");
  }
  return file;
}

/** What `kind` of an object says, wherever it stands. */
export function findKind(data) {
  const scanner = new Scanner(data);
  let kind = null;
  scanner.expect("{");
  do {
    const name = scanner.string();
    scanner.expect(":");
    if (name === "kind" && scanner.peek() === 0x22) {
      kind = scanner.string();
    } else {
      scanner.skip();
    }
  } while (scanner.takes(","));
  need(Object.hasOwn(FILES, kind), "no such kind");
  return kind;
}
