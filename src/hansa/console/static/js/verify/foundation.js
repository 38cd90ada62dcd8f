// What every file rests on: a trust root, the headers that lead from it, and the file's own. Pure.
//
// As src/hansa/client/foundation.py. Read in order: checkRoot, checkValidators, checkHeader,
// checkHeaders, checkPath. A case is {file, roots, whyNot, now, rules, cures}; roots: newest first.

import { encodeHex } from "../base64url.js";
import { INTEGER_MAX } from "../canonical.js";
import { isSame } from "../digests.js";
import * as comet from "./comet.js";
import { VALIDATORS_MAX } from "./forms.js";
import { checkForm, checkFresh, checkLightBlock, checkStep, trustBlock } from "./light.js";
import * as reasons from "./reasons.js";

const { Failed, require, say, show, Unjudged } = reasons;
const DAY_S = 86_400n;

/** What to do about what is missing, in the words of the command line; a page has its own. */
export const CURES = {
  pinFirst: () => "hansa trust add GENESIS",
  pinGenesis: () => "pin the genesis (hansa trust add GENESIS), or fetch the file anew",
  pinNewer: () =>
    "pin a newer checkpoint (hansa trust add FILE, from a member, over a channel that you trust)",
  fetchAnew: () => "fetch the file anew (hansa receipt), to lead from the newer pinned checkpoint",
  fetchFrom: (height) => `fetch it anew with ?trusted=${height}`,
};

/** The newest root that is not later than the file's header, or null. */
export function findRoot({ file, roots }) {
  return roots.find((root) => root.height <= file.header.height) ?? null;
}

/** The headers to follow from the root: those up to its height are already trusted. */
export function listHeaders(assembled) {
  const height = findRoot(assembled)?.height ?? 0n;
  return assembled.file.headers.filter((each) => each.header.height > height);
}

/** Which pinned root the file can rest on. */
export async function checkRoot(assembled) {
  const { file, roots, whyNot, now, rules, cures } = assembled;
  if (roots.length === 0) {
    throw new Unjudged(whyNot);
  }
  const { chain } = roots[0];
  require(
    file.chain === chain,
    say("the file is of chain {chain}, the trust root of {other}", {
      chain: file.chain,
      other: chain,
    }),
  );
  const root = findRoot(assembled);
  if (root === null) {
    throw new Unjudged(
      say(
        "the file's header, of height {height}, is older than the pinned checkpoint at height {pinned}: {cure}",
        { height: file.header.height, pinned: roots.at(-1).height, cure: cures.pinGenesis() },
      ),
    );
  }
  if (!(await isPinned(assembled, root))) {
    try {
      checkFresh(root.trusted, now, rules);
    } catch (error) {
      throw asUnjudged(error, reasons.Expired, () =>
        say("{root} vouches no longer ({why}): {cure}", {
          root: describeRoot(root, now),
          why: error.reason,
          cure: root === roots[0] ? cures.pinNewer() : cures.fetchAnew(),
        }),
      );
    }
  }
  return describeRoot(root, now);
}

/** A root for people. */
export function describeRoot(root, now) {
  const seconds = now.seconds - root.trusted.time.seconds;
  const days = seconds > 0n ? seconds / DAY_S : 0n;
  const age = days > 0n ? say("{days} day(s) old", { days }) : say("of today");
  const params = { digest: root.digest.slice(0, 16), chain: show(root.chain), age };
  if (root.kind === "genesis") {
    return say("genesis {digest}… of chain {chain}, {age}", params);
  }
  return say("checkpoint at height {height}, header {digest}…, of chain {chain}, {age}", {
    ...params,
    height: root.height,
  });
}

/** The file's validators are those that its header names. */
export async function checkValidators({ file }) {
  const hash = await comet.hashValidators(file.validators);
  require(
    isSame(hash, file.header.validators_hash),
    say("the validators are not those that the header names"),
  );
  return say("{count} validator(s) with power {power}, named by the header", {
    count: file.validators.length,
    power: comet.sumPower(file.validators),
  });
}

/** More than two thirds of the header's own validators decided it. */
export async function checkHeader({ file }) {
  const { chain, commit, header, validators } = file;
  require(header.chain_id === chain, say("the header is of another chain than the file says"));
  require(
    header.version.block === comet.BLOCK_PROTOCOL,
    say("the header is of another block protocol"),
  );
  checkNumbers(header);
  await comet.verifyCommit(chain, validators, header.height, commit);
  await checkForm(chain, { commit, header, validators });
  return say("block {height} of {time}, signed by {signed} of {count} validators", {
    height: header.height,
    time: writeTime(header.time),
    signed: comet.countVotes(commit),
    count: validators.length,
  });
}

/** Check that canonical JSON can hold the header's numbers (D1). Throws Failed. */
export function checkNumbers(header) {
  const numbers = [header.height, header.version.app, header.last_block_id.parts.total];
  require(
    numbers.every((number) => number >= 0n && number <= BigInt(INTEGER_MAX)),
    say("the header has a number that no header has"),
  );
}

/** Each header that the file carries holds in itself, and they rise to the file's own. */
export async function checkHeaders({ file }) {
  let last = 0n;
  for (const block of file.headers) {
    require(
      block.validators.length <= VALIDATORS_MAX,
      say("a header has more validators than any has"),
    );
    checkNumbers(block.header);
    await checkLightBlock(file.chain, block);
    require(
      last < block.header.height && block.header.height < file.header.height,
      say("the headers are not in order"),
    );
    last = block.header.height;
  }
  const count = file.headers.length;
  return count
    ? say("{count} header(s) that lead to it, each signed by its validators", { count })
    : null;
}

/** From the root over the headers to the file's own: each step by light verification. */
export async function checkPath(assembled) {
  const { file, now, rules } = assembled;
  const root = findRoot(assembled);
  if (root === null) {
    return null;
  }
  if (await isPinned(assembled, root)) {
    return say("it is the pinned checkpoint");
  }
  const followed = listHeaders(assembled);
  try {
    await follow(root.trusted, [...followed, file], now, rules);
  } catch (error) {
    throw judgeFault(error, root, assembled.cures);
  }
  if (followed.length === 0) {
    return say("follows from {root} in one step", { root: nameRoot(root) });
  }
  return say("follows from {root} over {count} header(s): {heights}", {
    root: nameRoot(root),
    count: followed.length,
    heights: followed.map((block) => block.header.height).join(", "),
  });
}

async function follow(start, blocks, now, rules) {
  let trusted = start;
  for (const block of blocks) {
    await checkStep(trusted, block, now, rules);
    trusted = trustBlock(block);
  }
}

function judgeFault(error, root, cures) {
  if (error instanceof reasons.Expired) {
    const why = { why: error.reason };
    return new Unjudged(say("nothing follows from the trust root any more: {why}", why));
  }
  if (error instanceof reasons.FromTheFuture) {
    const why = { why: error.reason };
    return new Unjudged(say("{why}: set the clock of this machine, or wait", why));
  }
  if (!(error instanceof reasons.NotEnoughTrust)) {
    return error;
  }
  const why = error.reason;
  if (root.kind === "genesis") {
    return new Failed(
      say("{why}: not decided by the trusted genesis or its heirs, or headers lack", { why }),
    );
  }
  const params = { why, cure: cures.fetchFrom(root.height) };
  return new Unjudged(say("{why}: the file does not lead from there; {cure}", params));
}

function asUnjudged(error, kind, describe) {
  return error instanceof kind ? new Unjudged(describe()) : error;
}

/** Whether the file's header is the pinned one. Throws Failed for another of that height. */
async function isPinned({ file }, root) {
  if (root.height !== file.header.height) {
    return false;
  }
  require(
    root.kind === "genesis" || root.digest === encodeHex(await comet.hashHeader(file.header)),
    say("the pinned checkpoint has another header at height {height}", { height: root.height }),
  );
  return true;
}

function nameRoot(root) {
  return root.kind === "genesis"
    ? say("the genesis")
    : say("the checkpoint at height {height}", { height: root.height });
}

/** UTC, to the second. */
function writeTime({ seconds }) {
  const text = new Date(Number(seconds) * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}
