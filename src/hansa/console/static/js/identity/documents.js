// Reading credentials for people: what one says, who issued it, until when. Pure; judges nothing.

import { decodeBase64url, encodeBase64url } from "../base64url.js";
import { encodeText, sha256 } from "../digests.js";

/** A credential is smaller; so much is looked at. */
export const DOCUMENT_CHARACTERS_MAX = 260_000;
/** Claims of an SD-JWT VC by which it is judged, and which are shown by themselves. */
const CONTROL = new Set([
  "vct", "vct#integrity", "iss", "iat", "nbf", "exp", "cnf", "status", "sub", "_sd", "_sd_alg",
  "credentialSchema", "termsOfUse",
]);
const SCHEMA_URN = /^urn:hansa:schema:([0-9a-f]{64})$/u;

/** A text that is no credential. */
export class NoCredential extends Error {}

/**
 * What a text says: {form: "vc" | "vp" | "sd-jwt" | "bundle", text, issuer, subject, types, claims:
 * [{name, value, isHidden}], since, until (ISO texts or ""), status: {uri, index} | null, schema,
 * isBound, parts: [documents inside a presentation]}. Throws NoCredential.
 */
export async function readDocument(text) {
  const trimmed = text.trim();
  if (trimmed.length > 4 * DOCUMENT_CHARACTERS_MAX) {
    throw new NoCredential("too large");
  }
  if (!trimmed.startsWith("{")) {
    return readSdJwt(trimmed);
  }
  const document = parse(trimmed);
  if (document.kind === "hansa.bundle/1") {
    const inner = await readDocument(String(document.document ?? ""));
    return { ...inner, form: "bundle", inner: inner.form, text: trimmed };
  }
  const types = listOf(document.type).map(String);
  if (types.includes("VerifiablePresentation")) {
    return await readPresentation(document, trimmed);
  }
  if (!types.includes("VerifiableCredential")) {
    throw new NoCredential("no credential");
  }
  return readVc(document, trimmed, types);
}

async function readPresentation(document, text) {
  const parts = [];
  for (const each of listOf(document.verifiableCredential)) {
    const isEnveloped = String(each?.id ?? "").startsWith("data:");
    parts.push(await readDocument(isEnveloped ? each.id.slice(each.id.indexOf(",") + 1) : JSON.stringify(each)));
  }
  return { ...EMPTY, form: "vp", text, issuer: String(document.holder ?? ""), parts };
}

function readVc(document, text, types) {
  const [subject] = listOf(document.credentialSubject);
  const { id = "", ...claims } = isObject(subject) ? subject : {};
  const [status] = listOf(document.credentialStatus);
  return {
    ...EMPTY,
    form: "vc",
    text,
    issuer: String(isObject(document.issuer) ? document.issuer.id : document.issuer ?? ""),
    subject: String(id),
    types: types.filter((each) => each !== "VerifiableCredential"),
    claims: Object.entries(claims).map(([name, value]) => ({ name, value, isHidden: false })),
    since: String(document.validFrom ?? ""),
    until: String(document.validUntil ?? ""),
    status: isObject(status)
      ? { uri: String(status.statusListCredential ?? ""), index: Number(status.statusListIndex) }
      : null,
    schema: readSchema(document.credentialSchema),
    isBound: String(id) !== "",
  };
}

async function readSdJwt(text) {
  const [signed, ...rest] = text.split("~");
  const parts = signed.split(".");
  if (rest.length === 0 || parts.length !== 3) {
    throw new NoCredential("no credential");
  }
  const payload = parse(decode(parts[1]));
  const hidden = [];
  for (const each of rest.slice(0, -1)) {
    hidden.push(await readDisclosure(each));
  }
  const known = new Set(listOf(payload._sd));
  const plain = Object.entries(payload)
    .filter(([name]) => !CONTROL.has(name))
    .map(([name, value]) => ({ name, value, isHidden: false }));
  const shown = hidden
    .filter(({ digest, name }) => known.has(digest) && name !== undefined)
    .map(({ name, value, text: disclosure }) => ({ name, value, isHidden: true, disclosure }));
  const list = payload.status?.status_list;
  return {
    ...EMPTY,
    form: "sd-jwt",
    text,
    issuer: String(payload.iss ?? ""),
    subject: String(payload.sub ?? ""),
    types: [String(payload.vct ?? "")],
    claims: [...shown, ...plain],
    withheld: known.size - shown.length,
    since: describeSeconds(payload.nbf),
    until: describeSeconds(payload.exp),
    status: isObject(list) ? { uri: String(list.uri), index: Number(list.idx) } : null,
    schema: readSchema(payload.credentialSchema),
    isBound: isObject(payload.cnf),
    isPresented: rest.at(-1) !== "",
  };
}

async function readDisclosure(text) {
  const content = parse(decode(text), Array.isArray);
  const digest = encodeBase64url(await sha256(encodeText(text)));
  return { text, digest, name: content.length === 3 ? String(content[1]) : undefined, value: content.at(-1) };
}

const EMPTY = {
  form: "", text: "", issuer: "", subject: "", types: [], claims: [], since: "", until: "",
  status: null, schema: "", isBound: false, isPresented: false, parts: [], withheld: 0,
};

/** A value of a claim for people. */
export function tellValue(value) {
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
}

/** The league's id of a schema, "" for another. */
function readSchema(entry) {
  const [first] = listOf(entry);
  return SCHEMA_URN.exec(String(first?.id ?? ""))?.[1] ?? "";
}

function describeSeconds(seconds) {
  return Number.isInteger(seconds) && Math.abs(seconds) < 8e12 ? new Date(seconds * 1000).toISOString() : "";
}

function decode(text) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64url(text));
  } catch (error) {
    throw new NoCredential("not base64url", { cause: error });
  }
}

function parse(text, fits = isObject) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NoCredential("not JSON", { cause: error });
  }
  if (!fits(value)) {
    throw new NoCredential("not an object");
  }
  return value;
}

function listOf(value) {
  if (value === undefined || value === null) {
    return [];
  }
  return Array.isArray(value) ? value : [value];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
