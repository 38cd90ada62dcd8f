// Signing in, and the end of a session: on every page.
//
// answerChallenge() gives the statement of src/hansa/client/sessions.py. A page whose body has no
// data-account forgets the keys that were opened for one session only.

import { encodeCanonical } from "./canonical.js";
import { signCompact } from "./jws.js";
import { forgetLent, sign } from "./keys.js";
import { askJson } from "./wire.js";

const DELAY_MAX = 2 ** 31 - 1;

/**
 * The JWS that opens a session for a key (keys.js): asks this gateway for a challenge and signs the
 * session statement, which no transaction can pass for. Throws Problem, Unreachable.
 */
export async function answerChallenge(key) {
  const question = { method: "POST", media: "application/json" };
  const body = JSON.stringify({ account: key.account });
  const { challenge, chain } = await askJson("/v1/sessions/challenge", { ...question, body });
  const statement = encodeCanonical({
    account: key.account,
    chain,
    challenge,
    kind: "hansa.session/1",
  });
  return signCompact(statement, key, (bytes) => sign(key, bytes));
}

/** Name of the key with which this page is signed in, "" for nobody: `kid` of signAndSend(). */
export function currentKey() {
  return document.body?.dataset.key ?? "";
}

function watch({ account, expires }) {
  if (!account) {
    // Nothing is lost when it fails: the sign-in page tells what is wrong with the store.
    forgetLent().catch(() => undefined);
    return;
  }
  const left = Number(expires) - Date.now();
  if (Number.isFinite(left)) {
    setTimeout(tellEnd, Math.min(Math.max(left, 0), DELAY_MAX));
  }
}

async function tellEnd() {
  const [{ make }, { say }] = await Promise.all([import("./dom.js"), import("./words.js")]);
  const here = location.pathname + location.search;
  const link = make("a", { href: `/sign-in?next=${encodeURIComponent(here)}` }, say("Sign in again"));
  const words = [say("Your session has ended."), " ", link];
  document.getElementById("main")?.prepend(
    make("p", { class: "notice warning", role: "status" }, ...words),
  );
}

if (globalThis.document !== undefined) {
  watch(document.body.dataset);
}
