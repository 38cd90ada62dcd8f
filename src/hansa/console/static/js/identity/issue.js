// The page /identity/issue: claims of a schema's form, held to the schema by this server, made into
// a credential and signed here. Expects templates/identity/issue.html.

import { find, make, saveFile, tell } from "../dom.js";
import { describeFault } from "../faults.js";
import { needKey } from "../keys.js";
import { currentKey } from "../session.js";
import { say } from "../words.js";
import { askJson } from "../wire.js";
import { takeIndex } from "./held.js";
import { drawQr, TooLong } from "./qr.js";
import { issue } from "./signing.js";

const form = find("issue");
const order = JSON.parse(form.dataset.order);
const RELATIONSHIPS = ["authentication", "assertionMethod"];

/** Something that the person can mend: where, and in which words. */
class Unfit extends Error {
  constructor(words, control = null) {
    super(words);
    this.control = control;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  find("issue-button").disabled = true;
  clearFaults();
  try {
    find("issued").replaceChildren(...(await prepare()));
  } catch (error) {
    explain(error);
  } finally {
    find("issue-button").disabled = false;
  }
});
form.dataset.ready = "true";

async function prepare() {
  const claims = readClaims();
  await checkClaims(claims);
  const key = await needKey(currentKey());
  const holder = await findHolder(find("holder").value.trim());
  const now = Date.now();
  const last = find("until").value;
  const until = last === "" ? null : Date.parse(`${last}T00:00:00+08:00`) + 86_400_000;
  if (until !== null && until <= now) {
    throw new Unfit(say("This day is over."), find("until"));
  }
  const status = await chooseStatus();
  const kind = form.elements.form.value;
  const text = await issue({ ...order, claims, ...holder, since: now, until, status, form: kind }, key, now);
  return describeIssued(text, kind, status);
}

function readClaims() {
  const claims = {};
  for (const control of form.querySelectorAll("[data-claim]")) {
    const value = readClaim(control);
    if (value !== undefined) {
      claims[control.dataset.claim] = value;
    } else if (control.required) {
      throw new Unfit(say("This must be filled in."), control);
    }
  }
  return claims;
}

function readClaim(control) {
  const text = control.value.trim();
  const { kind } = control.dataset;
  if (!control.validity.valid && !control.validity.valueMissing) {
    throw new Unfit(control.validationMessage, control);
  }
  if (text === "") {
    return undefined;
  }
  if (kind === "integer" || kind === "number") {
    return Number(text);
  }
  if (kind === "datetime") {
    return new Date(`${text}+08:00`).toISOString();
  }
  return kind === "choice" || kind === "json" ? parseJson(text, control) : text;
}

function parseJson(text, control) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unfit(say("This is no JSON."), control);
  }
}

/** Hold the claims to their schema, which this server knows how to read. */
async function checkClaims(claims) {
  const token = document.querySelector("meta[name=csrf]").content;
  const body = new URLSearchParams({ csrf: token, schema: order.schema, claims: JSON.stringify(claims) });
  const options = { method: "POST", media: "application/x-www-form-urlencoded", body: body.toString() };
  const { faults } = await askJson("/identity/issue/claims", options);
  if (faults.length > 0) {
    const [{ path, rule }] = faults;
    const name = path.split("/")[1] ?? "";
    const control = form.querySelector(`[data-claim="${CSS.escape(name)}"]`);
    throw new Unfit(say("This does not fit the schema ({rule}).", { rule }), control);
  }
}

/** DID of the holder and the key that it presents with: {subject, holderJwk}. */
async function findHolder(did) {
  if (did === "") {
    return { subject: "", holderJwk: null };
  }
  let found;
  try {
    found = await askJson(`/v1/dids/${encodeURIComponent(did)}`);
  } catch {
    throw new Unfit(say("Nobody has this DID."), find("holder"));
  }
  const { didDocument } = found;
  const methods = didDocument?.verificationMethod ?? [];
  const named = new Set(RELATIONSHIPS.flatMap((each) => didDocument?.[each] ?? []));
  const method = methods.find(({ id }) => named.has(id) && (didDocument.authentication ?? []).includes(id));
  if (method?.publicKeyJwk === undefined) {
    throw new Unfit(say("This DID has no key to show a credential with."), find("holder"));
  }
  const { kty, crv, x, y } = method.publicKeyJwk;
  return { subject: did, holderJwk: y === undefined ? { kty, crv, x } : { kty, crv, x, y } };
}

async function chooseStatus() {
  const [option] = find("status-list").selectedOptions;
  if (option === undefined || option.value === "") {
    return null;
  }
  const uri = `${location.origin}/v1/credentials/${order.issuer}/status/${option.value}`;
  const index = await takeIndex(`${order.issuer}/${option.value}`, Number(option.dataset.size));
  if (index < 0) {
    throw new Unfit(say("This list is full: open another one."), find("status-list"));
  }
  return { uri, index, purposes: option.dataset.purposes.split(" "), list: option.value };
}

function describeIssued(text, kind, status) {
  const name = `${order.types.at(-1)}${kind === "vc" ? ".json" : ".sd-jwt"}`;
  const save = make("button", { type: "button", class: "button" }, say("Save as a file"));
  save.addEventListener("click", () => saveFile(name, text));
  const area = make("textarea", { readonly: true, rows: 4, "aria-label": say("The credential as text"), spellcheck: "false" });
  area.value = text;
  const parts = [
    make("p", { class: "notice done" }, make("strong", {}, say("Signed.")), " ", say("Give it to its holder now: it is kept nowhere.")),
    make("p", { class: "actions" }, save),
    ...describeCode(text),
    area,
  ];
  if (status !== null) {
    parts.push(make("p", { class: "help" }, say("Its index in the list {list} is {index}. Note it: by it the credential is revoked.", status), " ", linkRevoke(status)));
  }
  return [make("section", { class: "card stack made" }, ...parts)];
}

function linkRevoke({ list, index }) {
  const query = new URLSearchParams({ issuer: order.issuer, list, "indexes.0": String(index), value: "revoked" });
  return make("a", { href: `/apps/credentials/messages/SetStatus?${query}` }, say("Revoke it"));
}

function describeCode(text) {
  try {
    const canvas = drawQr(text);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", say("The credential as a QR code"));
    return [canvas];
  } catch (error) {
    if (!(error instanceof TooLong)) {
      throw error;
    }
    return [make("p", { class: "help" }, say("It is too long for a QR code: hand over the file."))];
  }
}

// --- faults ---

function clearFaults() {
  tell(find("issue-fault"), "");
  for (const each of form.querySelectorAll("[aria-invalid]")) {
    each.removeAttribute("aria-invalid");
    each.removeAttribute("aria-errormessage");
  }
  for (const each of form.querySelectorAll(".fault")) {
    tell(each, "");
  }
}

function explain(error) {
  if (!(error instanceof Unfit)) {
    tell(find("issue-fault"), describeFault(error));
    find("issue-fault").focus();
    return;
  }
  const place = error.control === null ? null : document.getElementById(`${error.control.id}-fault`);
  if (place === null) {
    tell(find("issue-fault"), error.message);
  } else {
    tell(place, error.message);
    error.control.setAttribute("aria-errormessage", place.id);
  }
  error.control?.setAttribute("aria-invalid", "true");
  (error.control ?? find("issue-fault")).focus();
}
