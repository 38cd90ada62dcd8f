// Trust roots: what the person at this browser has pinned of each chain (client/trust.py, pinning.py).
//
// Kept in IndexedDB: of each chain a genesis, a checkpoint, or both. A verifier says yes only against
// one of them (D22): otherwise anyone's own league would verify.

import { encodeHex, decodeBase64url, TextError } from "../base64url.js";
import { CanonicalError, decodeCanonical } from "../canonical.js";
import { sha256 } from "../digests.js";
import { listEntries, putEntry, removeEntries } from "../store.js";
import * as comet from "./comet.js";
import { isInteger, isListOf, isObject, isOneOf, isStruct, isText } from "./fields.js";
import { isTime, readFile } from "./forms.js";
import { checkNumbers } from "./foundation.js";
import { checkLightBlock, trustBlock, trustGenesis } from "./light.js";
import { Failed, require, say } from "./reasons.js";
import { isUsableEd25519 } from "./usable_keys.js";

const STORE = "roots";
const GENESIS_BYTES_MAX = 4_000_000;
const VALIDATORS_MAX = 100;
const POWER_MAX = 1_000_000_000;
const CHAIN = /^[a-z0-9.-]{1,50}$/u;

/** A root as the verifier takes it: {kind, chain, height, digest, trusted}, made from bytes. */
export function buildRoot(data) {
  return isGenesis(data) ? buildGenesisRoot(data) : buildCheckpointRoot(data);
}

/** Whether these bytes call themselves a genesis. */
export function isGenesis(data) {
  return new TextDecoder().decode(data).includes('"kind":"hansa.genesis/1"');
}

/** The root of a genesis document. Throws Failed when nobody could start from it. */
export async function buildGenesisRoot(data) {
  let document;
  try {
    document = decodeCanonical(data, GENESIS_BYTES_MAX);
  } catch (error) {
    if (error instanceof CanonicalError) {
      throw new Failed(say("this is no genesis to trust: {why}", { why: error.message }));
    }
    throw error;
  }
  checkGenesis(document);
  const given = document.validators.map(({ key, power }) => ({
    power: BigInt(power),
    public_key: decodeKey(key.public),
  }));
  const validators = await comet.sortValidators(given);
  await comet.checkValidators(validators);
  const { chain } = document;
  const trusted = await trustGenesis(chain, comet.fromMs(document.time_ms), validators);
  const digest = encodeHex(await sha256(data));
  return { kind: "genesis", chain, height: 0n, digest, trusted };
}

/** The root of a checkpoint file that holds in itself. Throws Failed. */
export async function buildCheckpointRoot(data) {
  const file = readFile(data);
  require(file.kind === "hansa.checkpoint/1", say("this is neither a genesis nor a checkpoint"));
  checkNumbers(file.header);
  await checkLightBlock(file.chain, file);
  const digest = encodeHex(await comet.hashHeader(file.header));
  const { chain, header } = file;
  return { kind: "checkpoint", chain, height: header.height, digest, trusted: trustBlock(file) };
}

// The genesis document, as ledger/genesis.py has it.
const isGenesisValidator = isStruct(
  { key: isStruct({ alg: isText, public: isText }), power: isInteger },
  { member: isText },
);
const isActivation = isStruct({ application: isText, version: isInteger, digest: isText });
const isGenesisDocument = isStruct({
  activations: isListOf(isActivation),
  chain: isText,
  contracts: isObject,
  kind: isOneOf("hansa.genesis/1"),
  time_ms: isInteger,
  validators: isListOf(isGenesisValidator),
});

function checkGenesis(document) {
  require(
    isGenesisDocument(document),
    say("this is no genesis to trust: it lacks parts of one, or has others"),
  );
  require(CHAIN.test(document.chain), say("the chain id has 1 to 50 of a-z 0-9 - ."));
  const time = comet.fromMs(document.time_ms);
  require(isTime(time), say("the time of the genesis is none"));
  const { validators } = document;
  require(
    validators.length > 0 &&
      validators.length <= VALIDATORS_MAX &&
      validators.every(({ power }) => power >= 1 && power <= POWER_MAX),
    say("a genesis has 1 to 100 validators, each with power"),
  );
  require(
    validators.every(({ key }) => key.alg === "EdDSA" && isUsableEd25519(decodeKey(key.public))),
    say("a validator's key cannot be used"),
  );
  const members = validators.map(({ member }) => member).filter(Boolean);
  require(
    new Set(members).size === members.length,
    say("a validator's key, or its member, is there twice"),
  );
}

function decodeKey(text) {
  try {
    const raw = decodeBase64url(text);
    require(raw.length === 32, say("a validator's key cannot be used"));
    return raw;
  } catch (error) {
    if (error instanceof TextError) {
      throw new Failed(say("a validator's key cannot be used"));
    }
    throw error;
  }
}

// --- what is pinned in this browser ---

/** Pin the root in `data`, in place of the one of its chain and kind. Gives the root. */
export async function pinRoot(data) {
  const root = await buildRoot(data);
  const name = `${root.chain} ${root.kind}`;
  await putEntry(STORE, { name, chain: root.chain, kind: root.kind, data, since: Date.now() });
  return root;
}

/** Forget all that is pinned for a chain. */
export function forgetChain(chain) {
  return removeEntries(STORE, [`${chain} genesis`, `${chain} checkpoint`]);
}

/** The roots pinned for a chain, newest first. */
export async function findRoots(chain) {
  const entries = (await listEntries(STORE)).filter((entry) => entry.chain === chain);
  const roots = await Promise.all(entries.map(({ data }) => buildRoot(data)));
  return roots.sort((one, other) => (one.height < other.height ? 1 : -1));
}

/** All that is pinned: [{root, since}], by chain. */
export async function listRoots() {
  const entries = await listEntries(STORE);
  return Promise.all(
    entries.map(async ({ data, since }) => ({ root: await buildRoot(data), since })),
  );
}
