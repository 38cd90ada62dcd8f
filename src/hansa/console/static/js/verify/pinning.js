// When a genesis or checkpoint may be pinned: what is pinned already leads to it, or the person vouches.
//
// As src/hansa/client/pinning.py and trust.py. Touches this browser's pinned roots only.

import { buildRoot, findRoots, forgetChain, pinRoot } from "./roots.js";
import { verifyFile } from "./verifier.js";

/**
 * What pinning `data` would mean: {root, state, pinned, verdict}. Throws Failed when it is neither.
 *
 * state: "first" (nothing of its kind is pinned: the person compares it with a member's), "same",
 * "follows" (from what is pinned), "older" (than the pinned checkpoint), "contradicts" (another
 * genesis, or a checkpoint that does not follow: verdict says why). pinned: roots of the chain.
 */
export async function considerRoot(data, options = {}) {
  const root = await buildRoot(data);
  const pinned = await findRoots(root.chain);
  const alike = pinned.find(({ kind }) => kind === root.kind);
  if (alike?.digest === root.digest) {
    return { root, state: "same", pinned, verdict: null };
  }
  if (root.kind === "genesis") {
    return { root, state: alike ? "contradicts" : "first", pinned, verdict: null };
  }
  if (pinned.length === 0) {
    return { root, state: "first", pinned, verdict: null };
  }
  if (alike !== undefined && alike.height > root.height) {
    return { root, state: "older", pinned, verdict: null };
  }
  const verdict = await verifyFile(data, { ...options, findRoots: () => pinned });
  const state = verdict.outcome === "yes" ? "follows" : "contradicts";
  return { root, state, pinned, verdict };
}

/** Pin what was considered. What contradicts takes the place of all that is pinned of its chain. */
export async function pinConsidered(data, { root, state }) {
  if (state === "contradicts") {
    await forgetChain(root.chain);
  }
  return pinRoot(data);
}
