// Merkle trees of RFC 6962 as CometBFT builds them: roots, and roots from inclusion paths. Pure.

import { concat, sha256 } from "../digests.js";
import { require, say } from "./reasons.js";

const PATH_STEPS_MAX = 40;
const HASH_SIZE = 32;
const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);

/** Root over leaves (byte arrays), 32 bytes; of none: SHA-256 of nothing. */
export async function merkleRoot(leaves) {
  if (leaves.length === 0) {
    return sha256(new Uint8Array());
  }
  let level = await Promise.all(leaves.map(hashLeaf));
  while (level.length > 1) {
    level = await Promise.all(listPairs(level).map(hashPair));
  }
  return level[0];
}

/** Root that a path [{hash, side}] leads to from a leaf; every bit counts. */
export async function rootFromPath(leaf, path) {
  require(path.length <= PATH_STEPS_MAX, say("the path is too long"));
  let node = await hashLeaf(leaf);
  for (const { hash, side } of path) {
    require(hash.length === HASH_SIZE, say("a hash of the proof has the wrong size"));
    node = await hashPair(side === "left" ? [hash, node] : [node, hash]);
  }
  return node;
}

/** SHA-256(01 || left || right); of one alone: itself. */
export async function hashPair([left, right]) {
  return right === undefined ? left : sha256(concat(INNER, left, right));
}

function hashLeaf(leaf) {
  return sha256(concat(LEAF, leaf));
}

function listPairs(level) {
  const pairs = [];
  for (let place = 0; place < level.length; place += 2) {
    pairs.push(level.slice(place, place + 2));
  }
  return pairs;
}
