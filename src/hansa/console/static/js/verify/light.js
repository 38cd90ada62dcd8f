// Light verification: from headers that are trusted to later ones, not the blocks between. Pure.
//
// As src/hansa/comet/light.py. Source: CometBFT v0.39.4 light/verifier.go, types/validation.go.

import { encodeHex } from "../base64url.js";
import { isSame } from "../digests.js";
import * as comet from "./comet.js";
import { Expired, FromTheFuture, NotEnoughTrust, require, say } from "./reasons.js";

const NS = 1_000_000_000n;
const DAY_S = 86_400n;
const INT64_MAX = 2n ** 63n - 1n;
const CHAIN_ID_SIZE_MAX = 50;
/** By what a later header is judged (ADR 10): seconds, and the share of trusted power. */
export const RULES = Object.freeze({
  trustPeriodS: 1_095n * DAY_S,
  clockDriftS: 10n,
  level: [1n, 3n],
});

/** What is trusted once a light block {commit, header, validators} is. */
export function trustBlock({ header, validators }) {
  return {
    chain: header.chain_id,
    height: header.height,
    time: header.time,
    validators,
    nextValidatorsHash: header.next_validators_hash,
  };
}

/** What a genesis makes trusted: the validators of height 1, from its time on. */
export async function trustGenesis(chain, time, validators) {
  const nextValidatorsHash = await comet.hashValidators(validators);
  return { chain, height: 0n, time, validators, nextValidatorsHash };
}

/** Check a light block in itself: form, validators, votes of its own set. Throws Failed. */
export async function checkLightBlock(chain, block) {
  await checkForm(chain, block);
  const { commit, header, validators } = block;
  await comet.verifyCommit(header.chain_id, validators, header.height, commit);
}

/** Check that a block that was checked in itself follows from what is trusted. Throws Failed. */
export async function checkStep(trusted, block, now, rules) {
  require(block.header.chain_id === trusted.chain, say("the header is of another chain"));
  checkFresh(trusted, now, rules);
  checkOrder(trusted, block.header, now, rules);
  await checkLink(trusted, block, rules);
}

/** Check that what is trusted still vouches for later headers. Throws Expired. */
export function checkFresh(trusted, now, rules) {
  if (comet.toNs(trusted.time) + rules.trustPeriodS * NS <= comet.toNs(now)) {
    const days = rules.trustPeriodS / DAY_S;
    throw new Expired(say("what is trusted is older than {days} days", { days }));
  }
}

/** All but the order and the votes. Throws Failed. */
export async function checkForm(chain, { commit, header, validators }) {
  checkHeader(header);
  require(header.chain_id === chain, say("the header is of another chain"));
  require(
    commit.height === header.height && commit.signatures.length > 0,
    say("the commit is for another height, or empty"),
  );
  const hash = await comet.hashHeader(header);
  require(isSame(hash, commit.block_id.hash), say("the commit is for another header"));
  require(
    isSame(await comet.hashValidators(validators), header.validators_hash),
    say("the validators are not those that the header names"),
  );
}

/** CometBFT Header.ValidateBasic. */
function checkHeader(header) {
  const last = header.last_block_id;
  const hashes = [
    last.hash,
    last.parts.hash,
    header.last_commit_hash,
    header.data_hash,
    header.validators_hash,
    header.next_validators_hash,
    header.consensus_hash,
    header.last_results_hash,
    header.evidence_hash,
  ];
  const fits =
    header.version.block === comet.BLOCK_PROTOCOL &&
    header.version.app >= 0n &&
    new TextEncoder().encode(header.chain_id).length <= CHAIN_ID_SIZE_MAX &&
    header.height > 0n &&
    header.height <= INT64_MAX &&
    hashes.every(({ length }) => length === 0 || length === comet.HASH_SIZE) &&
    last.parts.total >= 0n &&
    header.proposer_address.length === comet.ADDRESS_SIZE;
  require(fits, say("the header is malformed"));
}

function checkOrder(trusted, header, now, rules) {
  require(
    header.height > trusted.height,
    say("the header is not later than the trusted height {height}", { height: trusted.height }),
  );
  // The first block has the time of its genesis.
  const isFirst = trusted.height === 0n && header.height === 1n;
  const [time, before] = [comet.toNs(header.time), comet.toNs(trusted.time)];
  require(
    time > before || (time === before && isFirst),
    say("the header's time is not later than that of the trusted one"),
  );
  if (time >= comet.toNs(now) + rules.clockDriftS * NS) {
    throw new FromTheFuture(say("the header is of a later time than this clock shows"));
  }
}

/** Announced by the header before, or signed by enough of those who are trusted. */
async function checkLink(trusted, block, rules) {
  if (block.header.height === trusted.height + 1n) {
    require(
      isSame(block.header.validators_hash, trusted.nextValidatorsHash),
      say("the validators are not those that the header before announced"),
    );
    return;
  }
  const [signed, total] = [await countTrusted(trusted, block), comet.sumPower(trusted.validators)];
  const [numerator, denominator] = rules.level;
  if (signed * denominator <= total * numerator) {
    const params = { signed, total, height: trusted.height };
    throw new NotEnoughTrust(
      say("signed by {signed} of the {total} of power trusted at height {height}", params),
    );
  }
}

/** Power of the trusted validators whose votes for the block are in its commit. */
async function countTrusted(trusted, block) {
  const known = await mapByAddress(trusted.validators);
  const own = await mapByAddress(block.validators);
  const seen = new Set();
  let signed = 0n;
  for (const entry of block.commit.signatures) {
    const address = encodeHex(entry.address);
    const validator = known.get(address);
    if (!comet.isForBlock(entry) || validator === undefined) {
      continue;
    }
    require(!seen.has(address), say("a validator's vote is there twice"));
    seen.add(address);
    const key = own.get(address)?.public_key;
    if (key !== undefined && isSame(key, validator.public_key)) {
      signed += validator.power;
    }
  }
  return signed;
}

async function mapByAddress(validators) {
  const known = await comet.withAddresses(validators);
  return new Map(known.map((each) => [encodeHex(each.address), each]));
}
