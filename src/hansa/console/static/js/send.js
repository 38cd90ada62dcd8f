// The button that signs: once, with a key of this browser, and then the page of what became of it.
//
// What was signed under a draft is remembered for this tab, so that neither a second click nor the
// back button nor a reload signs it again; after a lost answer the very same bytes are sent again.

import { find, make } from "./dom.js";
import { NoKey } from "./keys.js";
import { refuse } from "./refusing.js";
import { buildAndSign, sendSigned, Unreachable, waitFinal } from "./transaction.js";
import { say } from "./words.js";

const place = find("sending");
const button = find("send");
const outcome = find("outcome");
const { draft, digest } = place.dataset;
const request = JSON.parse(place.dataset.request);
const memory = `hansa.sent.${draft}.${digest}`;

begin();

function begin() {
  const kept = recall();
  if (kept === undefined) {
    arm(() => send());
    return;
  }
  const link = make("a", { href: addressOf(kept.id) }, say("What became of it"));
  show("warning", [say("You have already signed and sent this very message."), " ", link]);
  button.textContent = say("Sign and send it once more");
  arm(() => send());
}

function arm(work) {
  button.disabled = false;
  button.onclick = () => {
    button.disabled = true;
    work();
  };
}

async function send(kept) {
  try {
    show("news", [say("Signing…")]);
    const signed = kept ?? (await buildAndSign(request));
    remember(signed);
    show("news", [say("Sending…")]);
    await sendSigned(signed.jws);
    show("news", [say("Waiting for the block…")]);
    await waitFinal(signed.id);
    // In place of this page: the back button leads to the form, never to a button that signs.
    location.replace(addressOf(signed.id));
  } catch (error) {
    await explain(error, kept ?? recall());
  }
}

async function explain(error, signed) {
  if (error instanceof Unreachable && signed !== undefined) {
    show("warning", [say("No answer. Sending it again is safe: it counts once.")]);
    button.textContent = say("Send it again");
    arm(() => send(signed));
    return;
  }
  forget();
  if (error instanceof NoKey) {
    const link = make("a", { href: "/sign-in" }, say("Sign in with a key file"));
    const text = say("The key you signed in with is not in this browser. Nothing was sent.");
    show("refused", [text, " ", link]);
  } else {
    show("refused", await refuse(error));
  }
  arm(() => send());
}

function show(kind, children) {
  outcome.replaceChildren(make("p", { class: `notice ${kind}` }, ...children));
}

function addressOf(id) {
  return `/transactions/${id}`;
}

function recall() {
  const text = sessionStorage.getItem(memory);
  return text === null ? undefined : JSON.parse(text);
}

function remember({ id, jws }) {
  sessionStorage.setItem(memory, JSON.stringify({ id, jws }));
}

function forget() {
  sessionStorage.removeItem(memory);
}
