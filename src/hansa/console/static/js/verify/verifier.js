// The verifier: judges a receipt, proof or checkpoint file in the browser. No network, no server.
//
// As src/hansa/client/verify.py, step by step; STEPS tells the story. Whatever is not exactly proved
// is a no; what cannot be told here is "could_not_judge"; yes is said against a pinned root only.

import { CanonicalError } from "../canonical.js";
import * as bundle from "./bundle.js";
import * as claims from "./claims.js";
import * as comet from "./comet.js";
import { KINDS, readFile } from "./forms.js";
import * as foundation from "./foundation.js";
import { RULES } from "./light.js";
import { Failed, say, show, Unjudged } from "./reasons.js";

const STEPS = [
  ["trust root", foundation.checkRoot],
  ["validators", foundation.checkValidators],
  ["header", foundation.checkHeader],
  ["headers", foundation.checkHeaders],
  ["trust path", foundation.checkPath],
  ["inclusion", claims.checkInclusion],
  ["result", claims.checkResult],
  ["standing", claims.checkStanding],
  ["state", claims.checkState],
  ["identifier", claims.checkKnown],
];
/** Names of the steps, in order: a page explains each. */
export const STEP_NAMES = ["file", ...STEPS.map(([name]) => name), ...bundle.STEP_NAMES];

/**
 * Judge the bytes of a file.
 *
 * findRoots   chain => roots of roots.js, newest first (or a Promise of them)
 * shapes      what identifiers of each kind look like (shapes.json), null for none
 * now         milliseconds since 1970 of this machine's clock
 * at          as at when the credential in a bundle is judged (milliseconds), else now
 * cures       what to do about what is missing, in the page's words (foundation.js CURES)
 *
 * Gives the verdict of verdict.py: {outcome: "yes" | "no" | "could_not_judge", steps: [{name, ok,
 * reason, text}], kind, chain, height, accepted, code, key, there, trusted, trustedHeight, followed,
 * content}. Never throws for what a file says.
 */
export async function verifyFile(data, options) {
  const { findRoots, shapes = null, now = Date.now(), rules = RULES } = options;
  const cures = { ...foundation.CURES, ...options.cures };
  let file;
  try {
    file = readFile(data);
  } catch (error) {
    return { ...plainVerdict(), outcome: "no", steps: [judgeFailure("file", error)] };
  }
  const roots = await findRoots(file.chain);
  const whyNot = say("no trust root is pinned for chain {chain}: {cure}", {
    chain: show(file.chain),
    cure: cures.pinFirst(),
  });
  const assembled = { file, roots, whyNot, now: comet.fromMs(now), rules, cures, shapes };
  const what = { kind: KINDS[file.kind], size: data.length };
  const form = say("a {kind} in canonical form, {size} bytes", what);
  const steps = [describeStep("file", true, form)];
  for (const [name, check] of STEPS) {
    if (!steps.some((step) => step.ok === false)) {
      const step = await takeStep(name, check, assembled);
      if (step !== null) {
        steps.push(step);
      }
    }
  }
  if (file.kind === "hansa.bundle/1") {
    const at = options.at === undefined ? assembled.now : comet.fromMs(options.at);
    steps.push(...(await judgeBundle(file, at, steps)));
  }
  return conclude(assembled, steps);
}

/** Facts, and what can be told of the credential in a bundle whose header stands. */
async function judgeBundle(file, at, before) {
  const found = [];
  if (before.some((step) => step.ok === false)) {
    return found;
  }
  for (const [name, check] of bundle.listSteps(file, at)) {
    const step = await takeStep(name, check, null);
    if (step !== null) {
      found.push(step);
    }
    if (found[0].ok !== true) {
      return found;
    }
  }
  return found;
}

/** Run one check; null when it does not concern this kind of file. */
async function takeStep(name, check, assembled) {
  try {
    const reason = await check(assembled);
    return reason === null ? null : describeStep(name, true, reason);
  } catch (error) {
    return judgeFailure(name, error);
  }
}

function judgeFailure(name, error) {
  if (error instanceof Unjudged) {
    return describeStep(name, null, error.reason);
  }
  if (error instanceof Failed) {
    return describeStep(name, false, error.reason);
  }
  if (error instanceof CanonicalError) {
    return describeStep(name, false, say(error.message));
  }
  throw error;
}

/** text: as Python shows it; what holds is made safe there twice, once in the check itself. */
function describeStep(name, ok, reason) {
  const once = show(String(reason));
  return { name, ok, reason, text: ok ? show(once) : once };
}

function conclude(assembled, steps) {
  const { file } = assembled;
  const answers = steps.map(({ ok }) => ok);
  const outcome = answers.includes(false) ? "no" : answers.includes(null) ? "could_not_judge" : "yes";
  const isCheckpoint = file.kind === "hansa.checkpoint/1";
  const verdict = {
    ...plainVerdict(),
    outcome,
    steps,
    kind: KINDS[file.kind],
    chain: file.chain,
    height: isCheckpoint ? Number(file.header.height) : file.height,
  };
  if (outcome === "no") {
    return verdict;
  }
  const root = foundation.findRoot(assembled);
  if (root !== null) {
    verdict.trusted = `${root.kind} ${root.digest}`;
    verdict.trustedHeight = Number(root.height);
    verdict.followed = foundation.listHeaders(assembled).length;
  }
  if (isCheckpoint || file.kind === "hansa.bundle/1") {
    return verdict;
  }
  verdict.content = claims.readContent(file);
  if (file.kind === "hansa.proof/1") {
    return { ...verdict, key: file.key, there: !claims.isNull(file.record) };
  }
  const { code } = claims.readLeaf(file);
  return { ...verdict, accepted: code === claims.OK, code };
}

function plainVerdict() {
  return {
    kind: "",
    chain: "",
    height: 0,
    accepted: null,
    code: "",
    key: "",
    there: null,
    trusted: "",
    trustedHeight: null,
    followed: null,
    content: null,
  };
}
