// What a credential in a bundle says, and whether its issuer's signatures hold: Data Integrity
// (eddsa-jcs-2022, ecdsa-jcs-2019) and SD-JWT VC (EdDSA, ES256). Pure but for WebCrypto.

import { decodeBase64url, encodeBase64url } from "../base64url.js";
import { concat, encodeText, sha256 } from "../digests.js";
import { canonicalize, decodeBase58, hashSecured } from "../identity/canonical_proofs.js";
import { find, readBytes } from "./bundle_facts.js";
import { verifyEd25519 } from "./ed25519.js";
import { Failed, require, say, Unjudged } from "./reasons.js";

const SUITES = { "eddsa-jcs-2022": "EdDSA", "ecdsa-jcs-2019": "ES256" };
const ASSERTING = ["sign", "assert"];
const SKEW_MS = 300_000;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/u;
const SCHEMA = /(?:^|[/:])([0-9a-f]{64})$/u;
const ACCREDITATION = "urn:hansa:accreditation:";
const HIGH = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** What is judged of a document; null for a kind that is not read here. Throws Failed. */
export function readCredential(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    return readVc(parse(trimmed));
  }
  require(trimmed.includes("~"), say("it is neither a JSON document nor an SD-JWT"));
  return readSdJwt(trimmed);
}

function readVc(document) {
  const types = listOf(document.type);
  if (types.includes("VerifiablePresentation")) {
    return null;
  }
  const { issuer } = document;
  return {
    form: "vc",
    document,
    issuer: String(typeof issuer === "object" && issuer !== null ? issuer.id : issuer),
    sinceMs: readMoment(document.validFrom),
    untilMs: readMoment(document.validUntil),
    issuedMs: readMoment(document.validFrom),
    statuses: listOf(document.credentialStatus).map((each) => ({
      uri: String(each?.statusListCredential),
      index: Number(each?.statusListIndex),
      purpose: String(each?.statusPurpose),
    })),
    ...readTerms(document, listOf(document.credentialSchema)),
  };
}

function readSdJwt(text) {
  const [signed] = text.split("~");
  const parts = signed.split(".");
  require(parts.length === 3, say("a compact JWS has three parts"));
  const header = parse(new TextDecoder().decode(readBytes(parts[0])));
  const payload = parse(new TextDecoder().decode(readBytes(parts[1])));
  const list = payload.status?.status_list;
  const toMs = (seconds) => (Number.isInteger(seconds) ? seconds * 1000 : null);
  return {
    form: "sd-jwt",
    text,
    header,
    payload,
    parts,
    issuer: String(payload.iss),
    sinceMs: toMs(payload.nbf),
    untilMs: toMs(payload.exp),
    issuedMs: toMs(payload.iat) ?? toMs(payload.nbf),
    statuses: list === undefined ? [] : [{ uri: String(list.uri), index: Number(list.idx), purpose: "" }],
    ...readTerms(payload, [{ id: payload.vct }, ...listOf(payload.credentialSchema)]),
  };
}

function readTerms(document, schemas) {
  const named = listOf(document.termsOfUse).map((each) => String(each?.id ?? ""));
  return {
    schemas: schemas.map((each) => SCHEMA.exec(String(each?.id ?? ""))?.[1]).filter(Boolean),
    accreditations: named
      .filter((id) => id.startsWith(ACCREDITATION))
      .map((id) => id.slice(ACCREDITATION.length)),
  };
}

/** {methods, createdMs, isLive}: every proof holds, one is the issuer's. Throws Failed, Unjudged. */
export async function judgeProofs(credential, facts, asked) {
  const judge = credential.form === "vc" ? judgeVc : judgeSdJwt;
  const held = await judge(credential, facts, asked);
  const own = held.filter(({ method }) => method.split("#")[0] === credential.issuer);
  require(own.length > 0, say("no proof of the issuer holds"));
  const times = own.map(({ createdMs }) => createdMs).filter((each) => each !== null);
  return {
    methods: held.map(({ method }) => method),
    createdMs: times.length === 0 ? null : Math.max(...times),
    isLive: own[0].isLive,
  };
}

// --- Data Integrity ---

async function judgeVc({ document }, facts, asked) {
  const proofs = listOf(document.proof);
  require(proofs.length > 0, say("the document has no proof"));
  const held = [];
  for (const proof of proofs) {
    held.push(await judgeProof(document, proof, facts, asked));
  }
  return held;
}

async function judgeProof(document, proof, facts, { atMs }) {
  const alg = SUITES[proof?.cryptosuite];
  if (proof?.type !== "DataIntegrityProof" || alg === undefined || proof.previousProof !== undefined) {
    throw new Unjudged(say("a proof of this kind is not judged in the browser"));
  }
  const createdMs = readMoment(proof.created);
  const expiresMs = readMoment(proof.expires);
  require(proof.proofPurpose === "assertionMethod", say("the proof is not for issuing"));
  require(createdMs === null || createdMs <= atMs + SKEW_MS, say("the proof says that it is made later"));
  require(expiresMs === null || expiresMs > atMs, say("the proof has expired"));
  const isSame = proof["@context"] === undefined
    || canonicalize(proof["@context"]) === canonicalize(document["@context"] ?? null);
  require(isSame, say("the contexts are not those that were signed"));
  const signature = decodeBase58(String(proof.proofValue));
  require(signature !== null && signature.length === 64, say("the signature cannot be read"));
  const key = findKey(facts, String(proof.verificationMethod), createdMs ?? atMs);
  require(key.public.alg === alg, say("the key is of another kind than the proof says"));
  const momentMs = createdMs ?? atMs;
  require(isLive(key, momentMs), say("the key did not count at that time"));
  const { proofValue: _value, ...config } = proof;
  await checkSignature(key.public, await hashSecured(document, config), signature);
  return { method: proof.verificationMethod, createdMs, isLive: isLive(key, atMs) };
}

// --- SD-JWT VC ---

async function judgeSdJwt({ header, payload, parts, text, issuer }, facts, asked) {
  require(header.typ === "dc+sd-jwt", say("its type is another one"));
  const isSigned = typeof header.alg === "string" && !/^(none$|HS)/iu.test(header.alg);
  require(isSigned, say("its algorithm proves nothing to a third party"));
  if (!["EdDSA", "ES256"].includes(header.alg) || header.crit !== undefined || header.b64 !== undefined) {
    throw new Unjudged(say("a proof of this kind is not judged in the browser"));
  }
  const kid = String(header.kid ?? "");
  const method = kid.startsWith("did:") ? kid : `${issuer}#${kid.replace(/^#/u, "")}`;
  const atMs = Math.min(asked.atMs, asked.knownMs);
  const key = findKey(facts, method, atMs);
  require(key.public.alg === header.alg, say("the key is of another kind than the proof says"));
  await checkSignature(key.public, encodeText(`${parts[0]}.${parts[1]}`), readBytes(parts[2]));
  await checkDisclosures(payload, text.split("~").slice(1, -1));
  return [{ method, createdMs: Number.isInteger(payload.iat) ? payload.iat * 1000 : null, isLive: isLive(key, atMs) }];
}

/** Each disclosure is one that the issuer signed the digest of, once. */
async function checkDisclosures(payload, texts) {
  const signed = new Set(listOf(payload._sd));
  for (const text of texts) {
    const digest = encodeBase64url(await sha256(encodeText(text)));
    if (!signed.delete(digest)) {
      throw new Unjudged(say("a disclosure within another one is not judged in the browser"));
    }
  }
}

// --- keys ---

/** The key that had this name at a time, else the newest that ever had it. Throws. */
function findKey(facts, method, atMs) {
  const [did, name] = method.split("#");
  if (!did.startsWith("did:hansa:")) {
    throw new Unjudged(say("{did} is not of this ledger", { did: did.slice(0, 80) }));
  }
  const account = find(facts, `accounts/account/${did}`);
  require(account !== null, say("there is no such DID"));
  if (account.standing.at(-1).standing === "closed") {
    throw new Unjudged(say("the account is closed: since when is not judged in the browser"));
  }
  const known = account.keys.filter(({ id }) => id === name);
  const key = known.find((each) => isLive(each, atMs)) ?? known.at(-1);
  require(key !== undefined, say("the DID has no such key"));
  require(ASSERTING.some((each) => key.purposes.includes(each)), say("the key is not for issuing"));
  return key;
}

function isLive({ since_ms: since = 0, until_ms: until = null }, atMs) {
  return since <= atMs && (until === null || atMs < until);
}

async function checkSignature({ alg, public: text }, data, signature) {
  const raw = decodeBase64url(text);
  const holds = alg === "EdDSA" ? await verifyEd25519(raw, data, signature) : await verifyP256(raw, data, signature);
  require(holds, say("the signature does not hold"));
}

async function verifyP256(raw, data, signature) {
  const point = raw.length === 64 ? concat(Uint8Array.of(4), raw) : raw;
  const key = await crypto.subtle.importKey("raw", point, HIGH, false, ["verify"]);
  return await crypto.subtle.verify(HIGH, key, signature, data);
}

// --- values ---

function readMoment(text) {
  if (text === undefined) {
    return null;
  }
  const ms = MOMENT.test(String(text)) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new Unjudged(say("a time in it is not read in the browser"));
  }
  return ms;
}

function parse(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failed(say("not JSON"));
  }
  require(typeof value === "object" && value !== null && !Array.isArray(value), say("it is no object"));
  return value;
}

function listOf(value) {
  if (value === undefined || value === null) {
    return [];
  }
  return Array.isArray(value) ? value : [value];
}
