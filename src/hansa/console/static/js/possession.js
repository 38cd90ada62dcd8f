// Giving an account one more key: the new key proves itself, a present key of the account says so.
//
// The statement is that of contracts/accounts/keys.py; the message is accounts.AddKey, signed by the
// key that the account has already.

import { encodeBase64url } from "./base64url.js";
import { encodeCanonical } from "./canonical.js";
import { describePublic, sign } from "./keys.js";
import { signAndSend } from "./transaction.js";
import { askJson } from "./wire.js";

const PURPOSES = ["authenticate", "sign"];

/** The new key's signature of its statement, base64url. `key`: as keys.js has it. */
export async function provePossession(key, { chain, member }) {
  const [account, keyId] = key.kid.split("#");
  const statement = encodeCanonical({
    account,
    chain,
    key: key.jwk,
    key_id: keyId,
    kind: "hansa.possession/1",
    member,
  });
  return encodeBase64url(await sign(key, statement));
}

/** The message accounts.AddKey for `key`, valid from the next height on. */
export async function describeAddKey(key, { chain, member }) {
  const [account, keyId] = key.kid.split("#");
  const possession = await provePossession(key, { chain, member });
  const body = {
    account,
    key: describePublic(key),
    key_id: keyId,
    possession,
    purposes: PURPOSES,
    scope: [],
    until: null,
    v: 1,
  };
  return { app: "accounts", type: "AddKey", body };
}

/** Add `key` to its account; `signer`: kid of a key of that account in this browser. */
export async function addKey(key, { signer, member }) {
  const { chain, height } = await askJson("/v1/status");
  const message = await describeAddKey(key, { chain, member });
  return signAndSend({ kid: signer, chain, height, messages: [message] });
}
