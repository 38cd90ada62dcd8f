// Making a key in this browser: for an account of its own, which somebody opens for it.
//
// The request it shows is the message accounts.OpenAccount without what its sender decides.

import { encodeCanonical } from "./canonical.js";
import { make, saveFile, tell } from "./dom.js";
import { describeFault } from "./faults.js";
import { describePublic, makeKey, storeKey } from "./keys.js";
import { provePossession } from "./possession.js";
import { say } from "./words.js";

/** Fill `room` with a form that makes a key. chain: of the league; whenMade: told afterwards. */
export function offerNewKey(room, { chain, whenMade }) {
  const name = make("input", { id: "new-key-name", maxlength: 64, autocomplete: "off", required: true });
  const member = make("input", {
    id: "new-key-member",
    pattern: "did:hansa:[a-z2-7]{32}",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "new-key-member-help",
  });
  const help = make(
    "span",
    { class: "help", id: "new-key-member-help" },
    say("did:hansa:…; with it you also get the request that its administrator needs."),
  );
  const fault = make("p", { class: "notice refused", role: "alert", hidden: true });
  const result = make("div", { class: "stack", hidden: true, "aria-live": "polite" });
  const button = make("button", { class: "button quiet", id: "make-key-button" }, say("Make a key"));
  const form = make(
    "form",
    { class: "stack" },
    field(say("Name of the key, for you"), name),
    field(say("Account of your organisation, if you know it"), member, help),
    make("p", { class: "actions" }, button),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell(fault, "");
    try {
      const key = await makeAny({ name: name.value.trim() });
      await storeKey(key);
      await showRequest(result, key, { chain, member: member.value.trim() });
      whenMade();
    } catch (error) {
      tell(fault, describeFault(error));
    }
  });
  room.classList.add("stack");
  room.replaceChildren(form, fault, result);
}

/** An Ed25519 key, or one on P-256 where the browser has no Ed25519. */
export async function makeAny(wanted) {
  try {
    return await makeKey({ ...wanted, alg: "EdDSA" });
  } catch {
    return makeKey({ ...wanted, alg: "ES256" });
  }
}

async function showRequest(result, key, { chain, member }) {
  const parts = [
    make("p", {}, say("The key is in this browser and cannot be taken out. Its account is:")),
    make("p", {}, make("code", { id: "new-key-account" }, key.account)),
  ];
  if (member) {
    const request = await describeRequest(key, { chain, member });
    const save = make("button", { class: "button quiet", type: "button" }, say("Save the request"));
    save.addEventListener("click", () => saveFile(`${key.name}.request.json`, request));
    parts.push(
      make("p", {}, say("Give this request to an administrator of your organisation.")),
      make("p", { class: "actions" }, save),
    );
  }
  result.replaceChildren(...parts);
  result.hidden = false;
}

/** What an administrator sends to open the account: fields of accounts.OpenAccount. */
async function describeRequest(key, { chain, member }) {
  const possession = await provePossession(key, { chain, member });
  const keyId = key.kid.split("#")[1];
  const body = { key: describePublic(key), key_id: keyId, possession, v: 1 };
  return encodeCanonical({ app: "accounts", body, chain, type: "OpenAccount" });
}

function field(label, input, ...more) {
  const words = make("label", { for: input.id }, label);
  return make("p", { class: "field" }, words, input, ...more);
}
