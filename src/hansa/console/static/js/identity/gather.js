// The facts that judge a credential, asked of this gateway by their keys alone and put into a bundle
// here: the credential itself is sent nowhere. As src/hansa/client/bundling.py.

import { encodeCanonical } from "../canonical.js";
import { encodeText } from "../digests.js";
import { readCredential } from "../verify/bundle_proofs.js";
import { askJson, Problem } from "../wire.js";

const STATUS_PATH = /\/v1\/credentials\/(did:hansa:[a-z2-7]{32})\/status\/([a-z0-9][a-z0-9_-]{0,63})$/u;
const DID = /^did:hansa:[a-z2-7]{32}$/u;
const DEPTH_MAX = 8;
const INDEX_DIGITS = 7;

/**
 * Bytes of a bundle of a credential's text; of a bundle the text itself; null when nothing of it
 * can be asked here. `trusted`: height from which headers shall lead. Throws Problem, Unreachable.
 */
export async function gatherBundle(document, trusted = 0) {
  if (document.form === "bundle") {
    return encodeText(document.text);
  }
  const credential = document.form === "vp" ? null : readCredential(document.text);
  if (credential === null || !DID.test(credential.issuer)) {
    return null;
  }
  const keys = new Set([`accounts/account/${credential.issuer}`]);
  for (const id of credential.schemas) {
    keys.add(`schemas/schema/${id}`);
  }
  for (const { uri, index } of credential.statuses) {
    addStatus(keys, uri, index);
  }
  for (const id of await listChain(credential.accreditations[0])) {
    keys.add(`accreditations/accreditation/${id}`);
  }
  const query = new URLSearchParams({ keys: [...keys].join(","), trusted: String(trusted) });
  const facts = await askJson(`/v1/facts?${query}`);
  return encodeCanonical({ ...facts, document: document.text });
}

function addStatus(keys, uri, index) {
  let path = "";
  try {
    path = new URL(uri).pathname;
  } catch {
    return;
  }
  const [, owner, name] = STATUS_PATH.exec(path) ?? [];
  if (owner !== undefined && Number.isInteger(index) && index >= 0 && index < 10 ** INDEX_DIGITS) {
    keys.add(`credentials/status_list/${owner}/${name}`);
    keys.add(`credentials/status/${owner}/${name}/${String(index).padStart(INDEX_DIGITS, "0")}`);
  }
}

/** Ids of the accreditations from a leaf up to its root, as far as there are any. */
async function listChain(leaf) {
  const ids = [];
  for (let id = leaf; id && ids.length < DEPTH_MAX; ) {
    ids.push(id);
    try {
      id = (await askJson(`/v1/apps/accreditations/accreditation/${encodeURIComponent(id)}`)).parent;
    } catch (error) {
      if (!(error instanceof Problem)) {
        throw error;
      }
      id = "";
    }
  }
  return ids;
}
