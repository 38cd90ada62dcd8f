// Showing verdicts: one card for each file, with each check, what it found, and the proved content.

import { make } from "../dom.js";
import { say } from "../words.js";
import { linkStep, nameStep, summarise, writeReason } from "./explained.js";

/** Colours of an answer: of a tag, of a notice. */
const TONES = { yes: "good", no: "bad", could_not_judge: "busy" };
const CLASSES = { yes: "done", no: "refused", could_not_judge: "warning" };

/** The card of a verdict; actions: buttons below its sentence. */
export function describeVerdict(name, verdict, actions = []) {
  const card = make(
    "article",
    { class: "card stack verdict", "data-outcome": verdict.outcome, tabindex: "-1" },
    make("h3", {}, name),
    make("p", { class: `notice ${CLASSES[verdict.outcome]}` }, summarise(verdict)),
  );
  if (actions.length > 0) {
    card.append(make("p", { class: "actions" }, ...actions));
  }
  card.append(...describeFacts(verdict), describeSteps(verdict.steps));
  if (verdict.content !== null) {
    card.append(describeContent(verdict.content));
  }
  return card;
}

/** The card of a file that was not even fetched or read. */
export function describeFault(name, text) {
  const notice = make("p", { class: "notice refused" }, text);
  return make("article", { class: "card stack verdict", "data-outcome": "" }, make("h3", {}, name), notice);
}

/** A digest in groups, so that two people can compare it aloud. */
export function groupDigits(digest) {
  return digest.replace(/(.{8})(?=.)/gu, "$1 ");
}

function describeFacts(verdict) {
  const pairs = [
    [say("Chain"), verdict.chain],
    [say("Block"), verdict.chain && String(verdict.height)],
    [say("Rests on"), nameTrusted(verdict)],
    [say("Record"), verdict.key],
  ];
  const facts = make("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    if (value) {
      facts.append(make("div", {}, make("dt", {}, name), make("dd", {}, make("code", {}, value))));
    }
  }
  return facts.children.length > 0 ? [facts] : [];
}

function nameTrusted({ trusted, trustedHeight }) {
  const [kind, digest] = trusted.split(" ");
  const short = `${(digest ?? "").slice(0, 16)}…`;
  if (kind === "genesis") {
    return say("the pinned genesis {digest}", { digest: short });
  }
  return kind === "checkpoint"
    ? say("the pinned checkpoint {digest} at block {height}", { digest: short, height: trustedHeight })
    : "";
}

/** Each step with what it found. */
export function describeSteps(steps) {
  const list = make("ol", { class: "steps checks" });
  for (const { name, ok, reason } of steps) {
    const [mark, words] = describeAnswer(ok);
    list.append(
      make(
        "li",
        { "data-step": name, "data-ok": String(ok) },
        make("span", { class: "tag", "data-tone": mark }, words),
        " ",
        make("a", { href: linkStep(name) }, nameStep(name)),
        make("p", { class: "found" }, writeReason(reason)),
      ),
    );
  }
  return list;
}

function describeAnswer(ok) {
  if (ok === null) {
    return [TONES.could_not_judge, say("could not judge")];
  }
  return ok ? [TONES.yes, say("holds")] : [TONES.no, say("does not hold")];
}

function describeContent(content) {
  const text = JSON.stringify(content, (_name, value) => sortKeys(value), 2);
  return make(
    "details",
    { class: "stack" },
    make("summary", {}, say("What is proved, word for word")),
    make("pre", { class: "scroll", tabindex: "0" }, text),
  );
}

function sortKeys(value) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const names = isObject ? Object.keys(value).sort() : [];
  return isObject ? Object.fromEntries(names.map((name) => [name, value[name]])) : value;
}
