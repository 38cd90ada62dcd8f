// The sign-in page: choose a key of this browser or a key file, sign the challenge, post the statement.
//
// Expects templates/sign_in.html: #sign-in, #statement, #keys-here, #key-list, #key-file,
// #passphrase-field, #passphrase, #keep-key, #sign-in-fault, #sign-in-button, #make-key-room.

import { decodeBase64url } from "./base64url.js";
import { find, make, shorten, tell } from "./dom.js";
import { describeFault } from "./faults.js";
import { openKeyFile, readKeyFile } from "./key_file.js";
import { forgetKey, forgetLent, listKeys, storeKey } from "./keys.js";
import { offerNewKey } from "./new_key.js";
import { answerChallenge } from "./session.js";
import { say } from "./words.js";

const form = find("sign-in");
const button = find("sign-in-button");
const fault = find("sign-in-fault");
const chosen = { key: null, file: null };

async function start() {
  button.disabled = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(signIn);
  });
  find("key-file").addEventListener("change", () => attempt(takeFile));
  offerNewKey(find("make-key-room"), { chain: form.dataset.chain, whenMade: () => attempt(showKeys) });
  await attempt(async () => {
    await forgetLent();
    await showKeys();
  });
  // Chosen before this script was there to hear of it, or kept by the browser's back button.
  if (find("key-file").files.length > 0) {
    await attempt(takeFile);
  }
  await attempt(takeLink);
  addEventListener("hashchange", () => attempt(takeLink));
}

/** Run a step of the page; what goes wrong is told on it. */
async function attempt(step) {
  tell(fault, "");
  try {
    await step();
  } catch (error) {
    tell(fault, describeFault(error));
    button.disabled = chosen.key === null && chosen.file === null;
  }
}

async function showKeys() {
  const keys = await listKeys();
  find("keys-here").hidden = keys.length === 0;
  find("key-list").replaceChildren(...keys.map(describeChoice));
  if (keys.length === 1) {
    find("key-list").querySelector("input").click();
  }
}

function describeChoice(key) {
  const radio = make("input", { type: "radio", name: "key", value: key.kid });
  radio.addEventListener("change", () => {
    chosen.key = key;
    chosen.file = null;
    find("key-file").value = "";
    find("passphrase-field").hidden = true;
    button.disabled = false;
  });
  const words = [make("strong", {}, key.name), " ", make("code", {}, shorten(key.account))];
  const label = make("label", { title: key.kid }, radio, make("span", {}, ...words));
  return make("div", { class: "row key-choice" }, label, makeForget(key));
}

/** Forgetting takes two clicks: nobody has a copy of a key that was made here. */
function makeForget(key) {
  const forget = make("button", { class: "button quiet small", type: "button" }, say("Forget"));
  forget.setAttribute("aria-label", say("Forget the key {name}", { name: key.name }));
  forget.addEventListener("click", () => {
    const sure = make("button", { class: "button danger small", type: "button" });
    sure.textContent = say("Forget it for good");
    sure.addEventListener("click", () =>
      attempt(async () => {
        await forgetKey(key.kid);
        chosen.key = null;
        button.disabled = true;
        await showKeys();
      }),
    );
    forget.replaceWith(sure);
    sure.focus();
  });
  return forget;
}

/** A model league's sign-in link carries a key file after the #, which no browser sends. */
function takeLink() {
  const mark = "#key-file=";
  if (!location.hash.startsWith(mark)) {
    return;
  }
  const given = location.hash.slice(mark.length);
  history.replaceState(null, "", location.pathname + location.search);
  useFile(new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64url(given)));
  button.focus();
}

async function takeFile() {
  const [given] = find("key-file").files;
  chosen.file = null;
  if (given === undefined) {
    return;
  }
  useFile(await given.text());
}

function useFile(text) {
  chosen.file = readKeyFile(text);
  chosen.key = null;
  for (const radio of find("key-list").querySelectorAll("input")) {
    radio.checked = false;
  }
  find("passphrase-field").hidden = !chosen.file.seal;
  if (chosen.file.seal) {
    find("passphrase").focus();
  }
  button.disabled = false;
}

async function signIn() {
  button.disabled = true;
  const label = button.textContent;
  button.textContent = say("Signing…");
  try {
    const key = chosen.file === null ? chosen.key : await openChosen();
    find("statement").value = await answerChallenge(key);
    if (chosen.file !== null) {
      await storeKey(key, { kept: find("keep-key").checked });
    }
    form.submit();
  } finally {
    button.textContent = label;
  }
}

async function openChosen() {
  const key = await openKeyFile(chosen.file, find("passphrase").value);
  find("passphrase").value = "";
  return key;
}

await start();
