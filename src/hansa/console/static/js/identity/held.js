// The wallet's own database (IndexedDB "hansa-wallet"): credentials of this browser, and which
// indexes of status lists it has given out. Nothing here is ever sent.

import { encodeHex } from "../base64url.js";
import { describeDatabase } from "../database.js";
import { encodeText, sha256 } from "../digests.js";

const run = describeDatabase("hansa-wallet", 1, { credentials: "id", indexes: "id" });

/** Credentials that are kept: [{id, text, kept}], the newest first. */
export async function listHeld() {
  const found = await run("credentials", "readonly", (entries) => entries.getAll());
  return found.sort((one, other) => other.kept - one.kept);
}

/** Keep a credential; the same one is kept once. */
export async function keep(text) {
  const id = encodeHex(await sha256(encodeText(text)));
  await run("credentials", "readwrite", (entries) => entries.put({ id, text, kept: Date.now() }));
  return id;
}

/** Forget a credential for good. */
export function forget(id) {
  return run("credentials", "readwrite", (entries) => entries.delete(id));
}

/** Take a random index of a status list that this browser has not given out; -1 when all are. */
export async function takeIndex(list, size) {
  const given = await run("indexes", "readonly", (entries) => entries.getAllKeys());
  const taken = new Set(given.filter((id) => id.startsWith(`${list}#`)));
  if (taken.size >= size) {
    return -1;
  }
  for (;;) {
    const index = drawBelow(size);
    const id = `${list}#${index}`;
    if (!taken.has(id)) {
      await run("indexes", "readwrite", (entries) => entries.put({ id }));
      return index;
    }
  }
}

/** A number below `size` (at most 2**20), each as likely as any other. */
function drawBelow(size) {
  const end = Math.floor(2 ** 32 / size) * size;
  for (;;) {
    const [drawn] = crypto.getRandomValues(new Uint32Array(1));
    if (drawn < end) {
      return drawn % size;
    }
  }
}
