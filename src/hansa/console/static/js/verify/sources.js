// Where files come from besides the person's disk: this server's own proofs, named by a link or a QR.

import { askBytes, askJson, Problem } from "../wire.js";
import { findRoots } from "./roots.js";

const TRANSACTION = /^[0-9a-f]{64}\/[0-9]{1,3}$/u;
const RECORD = /^[a-z][a-z0-9_]*\/[a-z][a-z0-9_]*(?:\/[A-Za-z0-9._:~#+-]{1,128})+$/u;
/** The end of a GS1 Digital Link of a trade item or a pallet, whoever's server it names. */
const LABEL = /\/(?:01\/[0-9]{14}|00\/[0-9]{18})(?:\/.*)?$/u;
/** Refusals after which somebody who is signed in may still be given the file by the console. */
const MAY_HELP = new Set([401, 403, 404]);

/** A QR code or link that leads to nothing that this page can fetch. */
export class NoSource extends Error {}

/**
 * What a link to /verify asks for: {record: "app/kind/key…"} or {receipt: "TRANSACTION/NUMBER"};
 * null for a plain visit. `text`: an address, of this server. Throws NoSource.
 */
export function readLink(text, origin = location.origin) {
  let address;
  try {
    address = new URL(text, origin);
  } catch {
    throw new NoSource("no address");
  }
  if (address.origin !== origin || address.pathname !== "/verify") {
    throw new NoSource(address.origin === origin ? "no link to this page" : "another server");
  }
  const record = address.searchParams.get("record");
  const receipt = address.searchParams.get("receipt");
  if (record !== null && RECORD.test(record)) {
    return { record };
  }
  if (receipt !== null && TRANSACTION.test(receipt)) {
    return { receipt };
  }
  if (record !== null || receipt !== null) {
    throw new NoSource("no identifier");
  }
  return null;
}

/** This server's page of the label whose code says `text`, null when it is none of food. */
export function readLabel(text) {
  try {
    const found = LABEL.exec(new URL(text).pathname);
    return found === null ? null : `/id${found[0]}`;
  } catch {
    return null;
  }
}

/** The file that a link asks for, leading from what is pinned. Throws Problem, Unreachable. */
export async function fetchFile({ record, receipt }) {
  const trusted = await findTrustedHeight();
  const query = trusted > 0 ? `?trusted=${trusted}` : "";
  if (receipt !== undefined) {
    const [transaction, number] = receipt.split("/");
    return fetchAsMember(
      `/v1/transactions/${transaction}/messages/${number}/receipt${query}`,
      `/transactions/${transaction}/receipts/${number}${query}`,
    );
  }
  const [app, kind, ...key] = record.split("/").map(encodeURIComponent);
  const parts = [kind, ...key].join("/");
  return fetchAsMember(`/v1/proofs/${app}/${parts}${query}`, `/apps/${app}/proofs/${parts}${query}`);
}

/** This server's newest checkpoint, to be compared with a member's before it is pinned. */
export function fetchCheckpoint() {
  return askBytes("/v1/checkpoint");
}

/** As anybody; else by the console, for whoever is signed in there. */
async function fetchAsMember(path, ownPath) {
  try {
    return await askBytes(path);
  } catch (error) {
    const isSignedIn = document.body.dataset.account !== undefined;
    if (!(error instanceof Problem) || !MAY_HELP.has(error.status) || !isSignedIn) {
      throw error;
    }
    return askBytes(ownPath);
  }
}

/** Height of the checkpoint from which files of this server must lead; 0: genesis, or none. */
async function findTrustedHeight() {
  const { chain } = await askJson("/v1/status");
  const [newest] = await findRoots(chain);
  return Number(newest?.height ?? 0n);
}
