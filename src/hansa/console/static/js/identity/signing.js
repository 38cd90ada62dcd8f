// Making credentials and presentations with a key of this browser: Data Integrity proofs over
// RFC 8785 and SD-JWT VC with key binding, as src/hansa/client/credentials.py makes them.

import { encodeBase64url } from "../base64url.js";
import { encodeText, sha256 } from "../digests.js";
import { sign } from "../keys.js";
import { canonicalize, encodeBase58, hashSecured } from "./canonical_proofs.js";

const CONTEXT = "https://www.w3.org/ns/credentials/v2";
const SUITES = { EdDSA: "eddsa-jcs-2022", ES256: "ecdsa-jcs-2019" };
const SALT_BYTES = 16;

/** The document with a proof by `key` (keys.js). more: {domain, challenge} of a presentation. */
export async function addProof(document, key, { purpose, now, ...more }) {
  const config = {
    type: "DataIntegrityProof",
    cryptosuite: SUITES[key.alg],
    created: describeMoment(now),
    verificationMethod: key.kid,
    proofPurpose: purpose,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== "")),
    "@context": document["@context"],
  };
  const signature = await sign(key, await hashSecured(document, config));
  return { ...document, proof: { ...config, proofValue: encodeBase58(signature) } };
}

/**
 * Issue a credential. order: {issuer, subject, claims, types, schema, vct, accreditation, status:
 * {uri, index, purposes} | null, since (ms), until (ms or null), holderJwk, form: "vc" | "sd-jwt"}.
 * Gives its text.
 */
export async function issue(order, key, now) {
  return order.form === "vc" ? await issueVc(order, key, now) : await issueSdJwt(order, key, now);
}

async function issueVc(order, key, now) {
  const about = order.subject === "" ? {} : { id: order.subject };
  const document = {
    "@context": [CONTEXT],
    type: ["VerifiableCredential", ...order.types],
    issuer: order.issuer,
    validFrom: describeMoment(order.since),
    credentialSubject: { ...about, ...order.claims },
    ...describeOrder(order),
  };
  if (order.until !== null) {
    document.validUntil = describeMoment(order.until);
  }
  if (order.status !== null) {
    const entries = order.status.purposes.map((purpose) => describeEntry(order.status, purpose));
    document.credentialStatus = entries.length === 1 ? entries[0] : entries;
  }
  return canonicalize(await addProof(document, key, { purpose: "assertionMethod", now }));
}

function describeEntry({ uri, index }, purpose) {
  return {
    id: `${uri}?purpose=${purpose}#${index}`,
    type: "BitstringStatusListEntry",
    statusPurpose: purpose,
    statusListIndex: String(index),
    statusListCredential: `${uri}?purpose=${purpose}`,
  };
}

function describeOrder({ schema, accreditation }) {
  return {
    ...(schema === "" ? {} : { credentialSchema: { id: `urn:hansa:schema:${schema}`, type: "JsonSchema" } }),
    ...(accreditation === ""
      ? {}
      : { termsOfUse: { id: `urn:hansa:accreditation:${accreditation}`, type: "IssuanceCertificate" } }),
  };
}

async function issueSdJwt(order, key, now) {
  const disclosures = Object.entries(order.claims).map(([name, value]) => {
    const salt = encodeBase64url(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
    return encodeBase64url(encodeText(canonicalize([salt, name, value])));
  });
  const digests = await Promise.all(disclosures.map(digestText));
  const payload = {
    vct: order.vct || `urn:hansa:schema:${order.schema}`,
    iss: order.issuer,
    iat: Math.ceil(now / 1000),
    nbf: Math.ceil(order.since / 1000),
    ...(order.until === null ? {} : { exp: Math.floor(order.until / 1000) }),
    ...(order.holderJwk === null ? {} : { cnf: { jwk: order.holderJwk } }),
    ...(order.status === null
      ? {}
      : { status: { status_list: { uri: order.status.uri, idx: order.status.index } } }),
    ...(order.subject === "" ? {} : { sub: order.subject }),
    ...describeOrder(order),
    _sd: digests.sort(),
    _sd_alg: "sha-256",
  };
  const header = { alg: key.alg, kid: key.kid, typ: "dc+sd-jwt" };
  return [await signJws(payload, header, key), ...disclosures, ""].join("~");
}

/**
 * Present a credential (documents.js) to an audience. names: the hidden claims of an SD-JWT VC that
 * are shown. Gives the text to hand over.
 */
export async function present(held, names, key, { audience, nonce, now }) {
  if (held.form === "sd-jwt") {
    return await presentSdJwt(held, names, key, { audience, nonce, now });
  }
  const document = {
    "@context": [CONTEXT],
    type: ["VerifiablePresentation"],
    holder: key.account,
    verifiableCredential: [JSON.parse(held.text)],
  };
  const asked = { domain: audience, challenge: nonce };
  return canonicalize(await addProof(document, key, { purpose: "authentication", now, ...asked }));
}

async function presentSdJwt(held, names, key, { audience, nonce, now }) {
  const chosen = held.claims.filter((each) => each.isHidden && names.has(each.name));
  const signed = held.text.slice(0, held.text.indexOf("~"));
  const presented = [signed, ...chosen.map((each) => each.disclosure), ""].join("~");
  if (!held.isBound) {
    return presented;
  }
  const said = { aud: audience, iat: Math.floor(now / 1000), nonce, sd_hash: await digestText(presented) };
  return presented + (await signJws(said, { alg: key.alg, typ: "kb+jwt" }, key));
}

async function signJws(payload, header, key) {
  const parts = [header, payload].map((each) => encodeBase64url(encodeText(canonicalize(each))));
  const input = parts.join(".");
  return `${input}.${encodeBase64url(await sign(key, encodeText(input)))}`;
}

async function digestText(text) {
  return encodeBase64url(await sha256(encodeText(text)));
}

function describeMoment(ms) {
  return new Date(ms).toISOString();
}
