// Signing in: the statement that answers a gateway's challenge (src/hansa/client/sessions.py).

import { encodeCanonical } from "./canonical.js";
import { signCompact } from "./jws.js";
import { sign } from "./keys.js";
import { askJson } from "./wire.js";

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
