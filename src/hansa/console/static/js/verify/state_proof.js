// Proofs of the state tree: what is, or is not, in a state with a given root. Pure.
//
// The sparse Merkle tree of ICS-23's SmtSpec over digests, as src/hansa/ledger/tree_proof.py has it.

import { decodeBase64url } from "../base64url.js";
import { compareBytes, concat, isSame, sha256 } from "../digests.js";
import { hashPair } from "./merkle.js";
import { Failed, require, say } from "./reasons.js";

const EMPTY = new Uint8Array(32);
const DEPTH_MAX = 256;
const LEAF = Uint8Array.of(0);

/**
 * Check that under `root` the state key `key` (bytes) has the record `value` (bytes), or none when
 * it is null. Throws Failed. Every bit of the proof is significant.
 */
export async function verifyStateProof(root, key, value, proof) {
  const keyDigest = await sha256(key);
  require(isSame(decodeDigest(proof.key), keyDigest), say("the proof is for another key"));
  const path = await sha256(keyDigest);
  let computed;
  if (value === null) {
    require(proof.value === null, say("the proof shows presence, not absence"));
    computed = await rootOfAbsent(path, proof);
  } else {
    const digest = await sha256(value);
    require(
      proof.value !== null && isSame(decodeDigest(proof.value), digest),
      say("the proof is for another record"),
    );
    require(
      proof.left === null && proof.right === null,
      say("a proof of presence has no neighbours"),
    );
    const siblings = decodeSiblings(proof.siblings);
    computed = await fold(await hashLeaf(path, digest), path, siblings, 0);
  }
  require(isSame(computed, root), say("the proof leads to another root"));
}

async function rootOfAbsent(path, { left, right, siblings: texts }) {
  const siblings = decodeSiblings(texts);
  if (left === null || right === null) {
    require(siblings.length === 0, say("without two neighbours nothing stands above their fork"));
    if (left !== null) {
      return hashEdge(left, { before: path, depth: 0 });
    }
    return right === null ? EMPTY : hashEdge(right, { after: path, depth: 0 });
  }
  const leftPath = await sha256(decodeDigest(left.key));
  const rightPath = await sha256(decodeDigest(right.key));
  const fork = countShared(leftPath, rightPath);
  require(fork === siblings.length, say("the siblings above the fork do not reach it"));
  const leftHash = await hashEdge(left, { before: path, depth: fork + 1 });
  const rightHash = await hashEdge(right, { after: path, depth: fork + 1 });
  return fold(await hashPair([leftHash, rightHash]), leftPath, siblings, 0);
}

/** Hash at `depth` of the subtree in which a neighbour is the last leaf (`before`) or the first. */
async function hashEdge(neighbour, { before, after, depth }) {
  const path = await sha256(decodeDigest(neighbour.key));
  const isRight =
    before !== undefined ? compareBytes(path, before) < 0 : compareBytes(path, after) > 0;
  require(isRight, say("a neighbour is on the wrong side"));
  const outer = before !== undefined ? 1 : 0;
  const siblings = decodeSiblings(neighbour.siblings);
  siblings.forEach((sibling, index) => {
    const isBetween = bitOf(path, depth + index) !== outer && !isSame(sibling, EMPTY);
    require(!isBetween, say("there are leaves between the neighbours"));
  });
  return fold(await hashLeaf(path, decodeDigest(neighbour.value)), path, siblings, depth);
}

async function hashLeaf(path, valueDigest) {
  return sha256(concat(LEAF, path, await sha256(valueDigest)));
}

/** Number of leading bits that two paths share. */
function countShared(one, other) {
  const place = one.findIndex((byte, index) => byte !== other[index]);
  return place < 0 ? DEPTH_MAX : place * 8 + Math.clz32(one[place] ^ other[place]) - 24;
}

/** Hash of the ancestor at `depth` of a node that many siblings below it on `path`. */
async function fold(start, path, siblings, depth) {
  require(depth + siblings.length <= DEPTH_MAX, say("the proof is deeper than the tree"));
  let node = start;
  for (let index = siblings.length - 1; index >= 0; index -= 1) {
    const sibling = siblings[index];
    node = await hashPair(bitOf(path, depth + index) ? [sibling, node] : [node, sibling]);
  }
  return node;
}

function bitOf(path, level) {
  return (path[level >> 3] >> (7 - (level & 7))) & 1;
}

function decodeDigest(text) {
  let digest;
  try {
    digest = decodeBase64url(text);
  } catch {
    throw new Failed(say("a digest is not strict base64url"));
  }
  require(digest.length === 32, say("a digest is not 32 bytes"));
  return digest;
}

function decodeSiblings(texts) {
  require(texts.length <= DEPTH_MAX, say("the proof is deeper than the tree"));
  const siblings = texts.map((text) => (text === "" ? EMPTY : decodeDigest(text)));
  const isSpelt = texts.every((text, index) => text === "" || !isSame(siblings[index], EMPTY));
  require(isSpelt, say("an empty sibling is the empty string"));
  return siblings;
}
