// What receipts and state proofs claim, each claim held to the header they rest on. Pure.
//
// As src/hansa/client/claims.py and ledger/system.py.

import { encodeBase64url } from "../base64url.js";
import { decodeCanonical } from "../canonical.js";
import { concat, encodeText, isSame, sha256 } from "../digests.js";
import { merkleRoot, rootFromPath } from "./merkle.js";
import { bytesField, integerField } from "./protobuf.js";
import { require, say } from "./reasons.js";
import { readAccount, readBlock, readLeafValue, readMember } from "./records.js";
import { checkIdentifier, isKeyPart, KEY_BYTES_MAX } from "./identifiers.js";
import { verifyStateProof } from "./state_proof.js";

export const OK = "ok";
const LEAF_BYTES_MAX = 20_000;
const MESSAGE_BYTES_MAX = 256_000;
const RECORD_BYTES_MAX = 128_000;
const HEIGHT_DIGITS = 12;
const NULL = encodeText("null");
/** Purposes of a key that may sign transactions. */
const SIGNING = ["sign", "service"];

/** Whether raw bytes are JSON's null: not shown, or not there. */
export function isNull(bytes) {
  return isSame(bytes, NULL);
}

/** The decoded content of a file, for people. */
export function readContent(file) {
  return file.kind === "hansa.proof/1"
    ? decodeCanonical(file.record, RECORD_BYTES_MAX)
    : decodeCanonical(file.message, MESSAGE_BYTES_MAX);
}

/** The result that the ledger hashed. */
export function readLeaf(file) {
  return readLeafValue(decodeCanonical(file.result, LEAF_BYTES_MAX));
}

async function checkRecord(header, key, proven) {
  await verifyStateProof(header.app_hash, encodeText(key), proven.record, proven.proof);
  return proven.record;
}

async function readSystem(header, read, [owner, kind, part], proven) {
  require(
    isKeyPart(part),
    say("An identifier of {kind} is empty, too long or has an unsafe character.", { kind }),
  );
  return read(await checkRecord(header, `${owner}/${kind}/${part}`, proven));
}

// --- receipts ---

/** The result leads to a root that the header carries, or the block's record in its state. */
export async function checkInclusion({ file }) {
  if (file.kind !== "hansa.receipt/1") {
    return null;
  }
  const { header, height, transaction } = file;
  let record = null;
  if (file.block !== null) {
    const place = ["ledger", "block", String(height).padStart(HEIGHT_DIGITS, "0")];
    record = await readSystem(header, readBlock, place, file.block);
  } else {
    require(
      header.height === BigInt(height) + 1n,
      say("the header is not the one after the receipt's block"),
    );
  }
  const root = await rootFromPath(file.result, file.path);
  if (transaction === null) {
    require(
      record !== null && encodeBase64url(root) === record.deadlines,
      say("the result is not among the deadlines of the block"),
    );
    return say("the result is among the deadlines that block {height} fired", { height });
  }
  const results = await rootFromPath(encodeExecTxResult(transaction, root), transaction.path);
  const carried = record === null ? encodeBase64url(header.last_results_hash) : record.results;
  require(
    encodeBase64url(results) === carried,
    say("the result is not among the results of the block"),
  );
  return say("the result is among the results of block {height}", { height });
}

/** tendermint.abci.ExecTxResult without log, info, events, codespace. */
function encodeExecTxResult({ code, cost }, root) {
  return concat(
    integerField(1, BigInt(code)),
    bytesField(2, root),
    integerField(6, BigInt(cost)),
  );
}

/** Message and events are those that were decided; what the decision was. */
export async function checkResult({ file }) {
  if (file.kind !== "hansa.receipt/1") {
    return null;
  }
  const leaf = readLeaf(file);
  const isShown = !isNull(file.message);
  require(
    !isShown || encodeBase64url(await sha256(file.message)) === leaf.message,
    say("the message shown is not the one that was decided"),
  );
  require(
    file.events === null || encodeBase64url(await merkleRoot(file.events)) === leaf.events,
    say("the events shown are not those that were announced"),
  );
  decodeCanonical(file.message, MESSAGE_BYTES_MAX);
  const params = {
    what: leaf.type === "" ? say("an invalid transaction") : leaf.type,
    tx: leaf.tx,
    shown: isShown ? say("the message is shown") : say("the message is not shown"),
  };
  if (leaf.code === OK) {
    return say("ACCEPTED: {what} in transaction {tx}; {shown}", params);
  }
  const names = Object.keys(leaf.params).sort();
  return say("REJECTED with {code} ({params}): {what} in transaction {tx}; {shown}", {
    ...params,
    code: leaf.code,
    params: names.map((name) => `${name}=${leaf.params[name]}`).join(", "),
  });
}

/** The signer's key, account and member as at the receipt's height, from their records. */
export async function checkStanding({ file }) {
  if (file.kind !== "hansa.receipt/1") {
    return null;
  }
  const leaf = readLeaf(file);
  const { header, height, standing, transaction } = file;
  if (transaction === null || leaf.sender === "") {
    require(standing === null, say("the file names a signer where there is none"));
    return leaf.type === ""
      ? say("no signer was valid")
      : say("the ledger itself decided: nobody signed");
  }
  require(standing !== null, say("the file does not prove who signed"));
  const [did, keyId] = splitOnce(leaf.sender, "#");
  const ofAccount = ["accounts", "account", did];
  const account = await readSystem(header, readAccount, ofAccount, standing.account);
  const ofMember = ["members", "member", account.member];
  const member = await readSystem(header, readMember, ofMember, standing.member);
  // Within a block standing may change after the message: then it held when the block began.
  const signer = { sender: leaf.sender, height };
  require(
    [height, height - 1].some((at) => held(account, member, keyId, at)),
    say("{sender} was not in good standing at height {height}", signer),
  );
  return say("{sender} of {member} was in good standing at height {height}", {
    ...signer,
    member: member.name,
  });
}

function held(account, member, keyId, height) {
  const key = account.keys.find(
    ({ id, since, until }) =>
      id === keyId && since <= height && (until === null || until === undefined || height < until),
  );
  return (
    key !== undefined &&
    SIGNING.some((purpose) => key.purposes.includes(purpose)) &&
    standingAt(account.standing, height) === "good" &&
    standingAt(member.standing, height) === "good"
  );
}

function standingAt(history, height) {
  return history.findLast(({ since }) => since <= height)?.standing ?? null;
}

function splitOnce(text, mark) {
  const place = text.indexOf(mark);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + mark.length)];
}

// --- state proofs ---

/** The record is, or nothing is, under the key in the state that the header carries. */
export async function checkState({ file }) {
  if (file.kind !== "hansa.proof/1") {
    return null;
  }
  const { header, height, key, proof, record } = file;
  require(
    header.height === BigInt(height) + 1n,
    say("the header does not carry the state of the height that the file names"),
  );
  const parts = key.split("/");
  require(
    key.length <= KEY_BYTES_MAX && parts.length >= 3 && parts.every(isKeyPart),
    say("no state has a key like this"),
  );
  const isAbsent = isNull(record);
  decodeCanonical(record, RECORD_BYTES_MAX);
  await verifyStateProof(header.app_hash, encodeText(key), isAbsent ? null : record, proof);
  return isAbsent
    ? say("the state after block {height} has no {key}", { height, key })
    : say("the state after block {height} has {key}", { height, key });
}

/** A record could stand under the key: else its absence proves nothing. */
export function checkKnown({ file, shapes }) {
  if (file.kind !== "hansa.proof/1") {
    return null;
  }
  return checkIdentifier(shapes, file.key, isNull(file.record));
}

