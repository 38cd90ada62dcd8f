// Opening a Hansa key file (src/hansa/client/keys.py) in the browser; the file never leaves it.

import { decodeBase64url, encodeBase64url, TextError } from "./base64url.js";
import { encodeCanonical } from "./canonical.js";
import { encodeText } from "./digests.js";
import { importKey } from "./keys.js";
import { scrypt } from "./scrypt.js";

const KIND = "hansa.key/1";
const FILE_BYTES_MAX = 8_192;
const SCRYPT_N_MAX = 2 ** 20;
const FIELDS = ["d", "jwk", "kid", "kind", "name", "seal"];
const SEAL_FIELDS = ["box", "n", "nonce", "p", "r", "salt"];

/** A key file that cannot be opened; `code`: "not_one", "sm2", "sealed", "wrong_passphrase", "damaged". */
export class KeyFileFault extends Error {
  constructor(code, text, cause) {
    super(text, { cause });
    this.code = code;
  }
}

/** What stands in a key file, read strictly. Throws KeyFileFault. */
export function readKeyFile(text) {
  let file;
  try {
    file = text.length <= FILE_BYTES_MAX ? JSON.parse(text) : null;
  } catch {
    file = null;
  }
  if (file?.jwk?.crv === "SM2") {
    throw new KeyFileFault("sm2", "browsers have no SM2");
  }
  if (!isKeyFile(file)) {
    throw new KeyFileFault("not_one", "this is not a key file of this version");
  }
  return file;
}

/** The key in a key file, as keys.js has it (not stored yet). Throws KeyFileFault. */
export async function openKeyFile(file, passphrase = "") {
  try {
    const secret = file.seal ? await unseal(file, passphrase) : decodeBase64url(file.d ?? "");
    if (secret.length !== 32) {
      throw new TypeError("a private key has 32 bytes");
    }
    const { name, kid, jwk } = file;
    return await importKey({ name, kid, jwk, secret: encodeBase64url(secret) });
  } catch (error) {
    if (error instanceof TextError || error instanceof TypeError || error instanceof RangeError) {
      throw new KeyFileFault("damaged", `the key file is damaged: ${error.message}`, error);
    }
    throw error;
  }
}

function isKeyFile(file) {
  return (
    hasOnly(file, FIELDS) &&
    file.kind === KIND &&
    typeof file.name === "string" &&
    typeof file.kid === "string" &&
    isJwk(file.jwk) &&
    (file.d === undefined || typeof file.d === "string") &&
    (file.seal === undefined || file.seal === null || isSeal(file.seal))
  );
}

function isJwk(jwk) {
  const isText = (name) => typeof jwk[name] === "string";
  if (hasOnly(jwk, ["crv", "kty", "x"])) {
    return jwk.kty === "OKP" && jwk.crv === "Ed25519" && isText("x");
  }
  const isPoint = hasOnly(jwk, ["crv", "kty", "x", "y"]) && isText("x") && isText("y");
  return isPoint && jwk.kty === "EC" && jwk.crv === "P-256";
}

function isSeal(seal) {
  return (
    hasOnly(seal, SEAL_FIELDS) &&
    ["n", "r", "p"].every((name) => Number.isSafeInteger(seal[name])) &&
    ["salt", "nonce", "box"].every((name) => typeof seal[name] === "string")
  );
}

function hasOnly(value, names) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && Object.keys(value).every((name) => names.includes(name));
}

async function unseal(file, passphrase) {
  const { n, r, p, salt, nonce, box } = file.seal;
  if (!passphrase) {
    throw new KeyFileFault("sealed", "the key is sealed with a passphrase");
  }
  if (!(n > 1 && n <= SCRYPT_N_MAX && r > 0 && r <= 16 && p > 0 && p <= 4)) {
    throw new RangeError("scrypt parameters out of range");
  }
  const how = { n, r, p, size: 32 };
  const raw = await scrypt(encodeText(passphrase), decodeBase64url(salt), how);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  const { kind, name, kid, jwk } = file;
  const bound = encodeCanonical({ kind, name, kid, jwk });
  const sealed = { name: "AES-GCM", iv: decodeBase64url(nonce), additionalData: bound };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(sealed, key, decodeBase64url(box)));
  } catch (error) {
    if (error instanceof TextError) {
      throw error;
    }
    const text = "the passphrase does not open the key file, or the file was changed";
    throw new KeyFileFault("wrong_passphrase", text, error);
  }
}
