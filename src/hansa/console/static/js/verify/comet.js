// CometBFT's headers, validator sets and commits: their hashes and the one check of votes. Pure.
//
// As src/hansa/comet/{header,validators,commit,wire}.py. Source: CometBFT v0.39.4 types/block.go,
// types/canonical.go, types/validation.go (VerifyCommit), types/validator_set.go.

import { encodeHex } from "../base64url.js";
import { compareBytes, concat, encodeText, isSame, sha256 } from "../digests.js";
import { verifyEd25519 } from "./ed25519.js";
import { merkleRoot } from "./merkle.js";
import { bytesField, delimit, fixedField, integerField, messageField } from "./protobuf.js";
import { require, say } from "./reasons.js";

export const HASH_SIZE = 32;
export const ADDRESS_SIZE = 20;
export const BLOCK_PROTOCOL = 11n;
const PUBLIC_KEY_SIZE = 32;
const SIGNATURE_SIZE = 64;
const TOTAL_POWER_MAX = (2n ** 63n - 1n) / 8n;
const ROUND_MAX = 2n ** 31n - 1n;
const ZERO_TIME_SECONDS = -62_135_596_800n;
const NS = 1_000_000_000n;
// BlockIDFlag
const ABSENT = 1n;
const COMMIT = 2n;
const NIL = 3n;
const PRECOMMIT = 2n;

// --- time ---

/** Nanoseconds since 1970 of {seconds, nanos}. */
export function toNs(time) {
  return time.seconds * NS + time.nanos;
}

/** Moment of so many milliseconds since 1970. */
export function fromMs(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = milliseconds - seconds * 1000;
  return { seconds: BigInt(seconds), nanos: BigInt(rest) * 1_000_000n };
}

function encodeTime(time) {
  return concat(integerField(1, time.seconds), integerField(2, time.nanos));
}

// --- header ---

function encodeBlockId({ hash, parts }) {
  const set = concat(integerField(1, parts.total), bytesField(2, parts.hash));
  return concat(bytesField(1, hash), messageField(2, set));
}

/** The block's hash: Merkle root over the header's 14 fields. */
export function hashHeader(header) {
  const { version } = header;
  return merkleRoot([
    concat(integerField(1, version.block), integerField(2, version.app)),
    bytesField(1, encodeText(header.chain_id)),
    integerField(1, header.height),
    encodeTime(header.time),
    encodeBlockId(header.last_block_id),
    bytesField(1, header.last_commit_hash),
    bytesField(1, header.data_hash),
    bytesField(1, header.validators_hash),
    bytesField(1, header.next_validators_hash),
    bytesField(1, header.consensus_hash),
    bytesField(1, header.app_hash),
    bytesField(1, header.last_results_hash),
    bytesField(1, header.evidence_hash),
    bytesField(1, header.proposer_address),
  ]);
}

// --- validators ---

/** First 20 bytes of a key's SHA-256. */
export async function computeAddress(publicKey) {
  return (await sha256(publicKey)).subarray(0, ADDRESS_SIZE);
}

/** Sum of the voting powers. */
export function sumPower(validators) {
  return validators.reduce((sum, { power }) => sum + power, 0n);
}

/** `validators_hash` of a set in its order. */
export async function hashValidators(validators) {
  return merkleRoot(
    validators.map(({ public_key: key, power }) =>
      concat(messageField(1, bytesField(1, key)), integerField(2, power)),
    ),
  );
}

/** The set in CometBFT's order: highest power first, then address. */
export async function sortValidators(validators) {
  const known = await withAddresses(validators);
  known.sort((one, other) =>
    one.power === other.power
      ? compareBytes(one.address, other.address)
      : one.power > other.power
        ? -1
        : 1,
  );
  return known.map(({ public_key, power }) => ({ power, public_key }));
}

/** Each validator with its address. */
export function withAddresses(validators) {
  return Promise.all(
    validators.map(async (each) => ({ ...each, address: await computeAddress(each.public_key) })),
  );
}

/** Check sizes, powers, uniqueness and order. Throws Failed. */
export async function checkValidators(validators) {
  require(validators.length > 0, say("there are no validators"));
  require(
    validators.every((each) => each.public_key.length === PUBLIC_KEY_SIZE),
    say("a validator's key is not an Ed25519 key"),
  );
  require(validators.every((each) => each.power >= 1n), say("a validator has no power"));
  require(
    sumPower(validators) <= TOTAL_POWER_MAX,
    say("the validators have too much power in all"),
  );
  const keys = new Set(validators.map((each) => encodeHex(each.public_key)));
  require(keys.size === validators.length, say("a validator is listed twice"));
  const sorted = await sortValidators(validators);
  const isSorted = sorted.every((each, index) =>
    isSame(each.public_key, validators[index].public_key),
  );
  require(isSorted, say("the validators are not in order"));
}

// --- commit ---

/** Number of votes for the block. */
export function countVotes(commit) {
  return commit.signatures.filter(isForBlock).length;
}

/** Whether an entry of a commit votes for the block. */
export function isForBlock(entry) {
  return entry.flag === COMMIT;
}

/** Verify that more than two thirds of the power signed the commit's block. Throws Failed. */
export async function verifyCommit(chain, validators, height, commit) {
  await checkValidators(validators);
  require(commit.height === height, say("the commit is for another block"));
  require(
    height >= 1n && commit.round >= 0n && commit.round <= ROUND_MAX && isComplete(commit.block_id),
    say("the commit's height, round or block id is malformed"),
  );
  require(
    commit.signatures.length === validators.length,
    say("the commit has not one entry for each validator"),
  );
  const [signed, total] = [await countSigned(chain, validators, commit), sumPower(validators)];
  require(
    3n * signed > 2n * total,
    say("signed by {signed} of {total}: not more than two thirds", { signed, total }),
  );
}

async function countSigned(chain, validators, commit) {
  let signed = 0n;
  for (const [index, validator] of validators.entries()) {
    const entry = commit.signatures[index];
    checkForm(entry, index);
    if (entry.flag === ABSENT) {
      continue;
    }
    require(
      isSame(entry.address, await computeAddress(validator.public_key)),
      say("signature {index} is not that of the validator at its index", { index }),
    );
    const message = encodeVote(chain, commit, entry);
    const holds = await verifyEd25519(validator.public_key, message, entry.signature);
    require(holds, say("signature {index} does not hold", { index }));
    if (isForBlock(entry)) {
      signed += validator.power;
    }
  }
  return signed;
}

function checkForm(entry, index) {
  if (entry.flag === ABSENT) {
    const isEmpty =
      entry.address.length === 0 &&
      entry.signature.length === 0 &&
      entry.time.seconds === ZERO_TIME_SECONDS &&
      entry.time.nanos === 0n;
    require(isEmpty, say("entry {index} is absent but not empty", { index }));
    return;
  }
  require(
    entry.flag === COMMIT || entry.flag === NIL,
    say("entry {index} has an unknown flag", { index }),
  );
  require(
    entry.address.length === ADDRESS_SIZE && entry.signature.length === SIGNATURE_SIZE,
    say("entry {index} is malformed", { index }),
  );
}

function isComplete({ hash, parts }) {
  return hash.length === HASH_SIZE && parts.hash.length === HASH_SIZE && parts.total > 0n;
}

/** What a validator signs: the length-delimited CanonicalVote; a nil vote names no block. */
function encodeVote(chain, commit, entry) {
  const block = isForBlock(entry) ? messageField(4, encodeBlockId(commit.block_id)) : [];
  return delimit(
    concat(
      integerField(1, PRECOMMIT),
      fixedField(2, commit.height),
      fixedField(3, commit.round),
      block,
      messageField(5, encodeTime(entry.time)),
      bytesField(6, encodeText(chain)),
    ),
  );
}
