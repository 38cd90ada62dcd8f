// Showing credentials and verdicts: what a credential says, and each check by name.

import { make, shorten } from "../dom.js";
import { say } from "../words.js";
import { tellValue } from "./documents.js";

const TONES = { yes: "done", no: "refused", could_not_judge: "warning" };
const MARKS = { passed: "good", failed: "bad", not_judged: "busy" };
const CHECKS = {
  format: () => say("Form"),
  proof: () => say("Signature"),
  issuer_key: () => say("Key of the issuer"),
  validity: () => say("Time of validity"),
  schema: () => say("Schema"),
  status: () => say("Not revoked, not suspended"),
  accreditation: () => say("Issuer was entitled then"),
  accreditation_now: () => say("Issuer is entitled now"),
  holder: () => say("Shown by its holder"),
  audience: () => say("Meant for this verifier"),
  nonce: () => say("Made for this question"),
  policy: () => say("What you asked for"),
  freshness: () => say("How new the facts are"),
};
const FORMS = {
  vc: () => say("W3C credential, shown whole"),
  vp: () => say("Presentation"),
  "sd-jwt": () => say("SD-JWT credential, claims can be withheld"),
  bundle: () => say("Bundle: credential with its proofs"),
};
const CODES = {
  bad_signature: () => say("The signature does not hold: it was changed, or somebody else signed it."),
  not_by_issuer: () => say("Nobody who may sign for the issuer has signed it."),
  expired: () => say("It has expired."),
  not_yet_valid: () => say("It is not valid yet."),
  revoked: () => say("It is revoked."),
  suspended: () => say("It is suspended."),
  no_accreditation: () => say("It names no accreditation of its issuer."),
  other_issuer: () => say("The accreditation is somebody else's."),
  unknown_schema: () => say("The league knows no such schema."),
  wrong_schema: () => say("What it says does not fit its schema."),
  no_schema: () => say("It names no schema of the league."),
  not_asked: () => say("Not asked for."),
  wrong_audience: () => say("It was made for somebody else."),
  wrong_nonce: () => say("It answers another question: perhaps it is a copy."),
  missing_key_binding: () => say("Its holder has not signed that it is shown to you."),
  not_by_holder: () => say("Its holder has not signed that it is shown to you."),
  not_presented: () => say("Its holder has not signed that it is shown to you."),
  stale: () => say("The facts are too old to tell."),
  unknown_form: () => say("It is no credential or presentation."),
  not_json: () => say("The file is damaged: it is not JSON."),
  unresolvable: () => say("Whose key it is cannot be found out from this ledger."),
};

/** What form a credential has, in words. */
export function nameForm(form) {
  return FORMS[form]?.() ?? say("Unknown form");
}

/** Short name of a credential: its last type. */
export function nameDocument({ types, form, parts }) {
  const type = types.at(-1) ?? "";
  if (form === "vp" && parts.length > 0) {
    return parts.map(nameDocument).join(", ");
  }
  return type === "" ? nameForm(form) : type.split(/[:/]/u).at(-1).slice(0, 60);
}

/** The claims of a credential as names and values; `cells`: what stands before each name. */
export function describeClaims(document, before = () => null) {
  const list = make("dl", { class: "facts claims" });
  for (const claim of document.claims) {
    const term = make("dt", {}, ...[before(claim), claim.name].filter((each) => each !== null));
    list.append(make("div", {}, term, make("dd", {}, tellValue(claim.value))));
  }
  return list;
}

/** Issuer, holder, times of a credential. names: DID -> name. */
export function describeFacts(document, names = {}) {
  const pairs = [
    [say("Issued by"), linkDid(document.issuer, names)],
    [say("About"), linkDid(document.subject, names)],
    [say("Valid from"), tellTime(document.since)],
    [say("Valid until"), document.until === "" ? say("no end") : tellTime(document.until)],
    [say("Form"), nameForm(document.form)],
  ];
  const list = make("dl", { class: "facts" });
  for (const [name, value] of pairs) {
    if (value !== "") {
      list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    }
  }
  return list;
}

function linkDid(did, names) {
  if (did === "") {
    return "";
  }
  const text = names[did] ?? shorten(did);
  return did.startsWith("did:hansa:")
    ? make("a", { href: `/identity/dids/${did}`, title: did }, text)
    : make("code", { title: did }, text);
}

/** A time in the page's language, at UTC+8 as everywhere here. */
export function tellTime(iso) {
  const when = new Date(iso);
  if (Number.isNaN(when.getTime())) {
    return iso;
  }
  const language = document.documentElement.lang;
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Hong_Kong" };
  return make("time", { datetime: when.toISOString() }, when.toLocaleString(language, options));
}

/** The card of a verdict (POST /v1/credentials/judge) over a document, null when unreadable. */
export function describeVerdict(name, report, document, names) {
  const card = make(
    "article",
    { class: "card stack verdict", "data-outcome": report.outcome },
    make("h3", {}, name),
    make("p", { class: `notice ${TONES[report.outcome]}` }, make("strong", {}, conclude(report))),
  );
  for (const each of document === null ? [] : listParts(document)) {
    card.append(make("h4", {}, nameDocument(each)), describeClaims(each), describeFacts(each, names));
  }
  if (report.outcome !== "yes" && document !== null) {
    card.append(make("p", { class: "help" }, say("What it says above is only claimed: it is not proved.")));
  }
  card.append(make("h4", {}, say("Checks")), describeChecks(report.checks), describeJudge(report));
  return card;
}

/** The card of a credential that was not sent: what it says, without a verdict of the server. */
export function describeUnsent(name, document, names) {
  const card = make("article", { class: "card stack verdict", "data-outcome": "unsent" }, make("h3", {}, name));
  if (document === null) {
    card.append(make("p", { class: "notice refused" }, say("It is no credential or presentation.")));
    return card;
  }
  card.append(make("p", { class: "notice warning" }, say("It was not sent: this browser alone does not judge its form, its schema, and presentations.")));
  for (const each of listParts(document)) {
    card.append(make("h4", {}, nameDocument(each)), describeClaims(each), describeFacts(each, names));
  }
  return card;
}

function listParts(document) {
  return document.form === "vp" ? document.parts : [document];
}

function conclude({ outcome }) {
  if (outcome === "yes") {
    return say("Yes: everything that was asked for holds.");
  }
  return outcome === "no"
    ? say("No: do not rely on it.")
    : say("It could not be judged. Do not rely on it before it is.");
}

function describeJudge({ source, height, chain }) {
  const words = source === "bundle"
    ? say("Judged by this server, by the facts in the bundle, of block {height} of {chain}. Whether these are the league's own is judged below, in your browser.", { height, chain })
    : say("Judged by this server, by its own ledger ({chain}, block {height}). If you do not trust it, judge at home: hansa credential verify FILE", { height, chain });
  return make("p", { class: "help judge" }, words);
}

function describeChecks(checks) {
  const list = make("ol", { class: "steps checks" });
  const asked = checks.filter(({ code }) => code !== "not_asked");
  for (const each of asked) {
    list.append(describeCheck(each));
  }
  const others = checks.filter(({ code }) => code === "not_asked");
  const names = [...new Set(others.map(nameCheck))];
  const rest = names.length === 0 ? "" : say("Not asked for: {checks}", { checks: names.join(", ") });
  return make("div", { class: "stack" }, list, make("p", { class: "help" }, rest), describeFindings(asked));
}

function describeCheck(check) {
  const { outcome, code, text } = check;
  const item = make(
    "li",
    { "data-check": check.name, "data-outcome": outcome, "data-code": code },
    make("span", { class: "tag", "data-tone": MARKS[outcome] }, nameOutcome(outcome)),
    " ",
    make("strong", {}, nameCheck(check)),
  );
  if (outcome !== "passed") {
    const found = CODES[code]?.();
    item.append(found === undefined ? make("p", { lang: "en" }, text) : make("p", {}, found));
  }
  return item;
}

/** Word for word what the verifier found, for who wants to know it exactly. */
function describeFindings(checks) {
  const lines = checks.map(({ name, code, text }) =>
    make("li", {}, make("code", {}, code === "" ? name : `${name} ${code}`), ` ${text}`),
  );
  const summary = make("summary", {}, say("Word for word (in English)"));
  return make("details", {}, summary, make("ul", { class: "findings", lang: "en" }, ...lines));
}

function nameCheck({ name, about }) {
  const words = CHECKS[name]?.() ?? name;
  const number = /^credential (\d+)$/u.exec(about)?.[1];
  return number === undefined
    ? words
    : say("Credential {number}: {check}", { number: Number(number) + 1, check: words });
}

function nameOutcome(outcome) {
  if (outcome === "passed") {
    return say("passed");
  }
  return outcome === "failed" ? say("failed") : say("not judged");
}
