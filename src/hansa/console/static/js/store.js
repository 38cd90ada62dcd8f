// This browser's own database (IndexedDB "hansa"): keys that never leave it, and pinned trust roots.

import { describeDatabase } from "./database.js";

const run = describeDatabase("hansa", 1, { keys: "kid", roots: "name" });

/** All entries of a store. */
export function listEntries(store) {
  return run(store, "readonly", (entries) => entries.getAll());
}

/** One entry, or undefined. */
export function getEntry(store, name) {
  return run(store, "readonly", (entries) => entries.get(name));
}

/** Write an entry in place of the one of that name. */
export function putEntry(store, entry) {
  return run(store, "readwrite", (entries) => entries.put(entry));
}

/** Forget entries. */
export function removeEntries(store, names) {
  return run(store, "readwrite", (entries) => names.map((name) => entries.delete(name)).at(-1));
}
