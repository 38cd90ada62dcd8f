// This browser's own database (IndexedDB "hansa"): keys that never leave it, and pinned trust roots.

const NAME = "hansa";
const VERSION = 1;
/** Object stores and the field that names an entry. */
const STORES = { keys: "kid", roots: "name" };

/** The browser keeps nothing for this page (private window, full disk, switched off). */
export class StoreFault extends Error {}

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

async function run(store, mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode);
      const request = act(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(new StoreFault(String(transaction.error)));
    });
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    if (globalThis.indexedDB === undefined) {
      reject(new StoreFault("this browser keeps nothing for this page"));
      return;
    }
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) {
        request.result.createObjectStore(store, { keyPath });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StoreFault(String(request.error)));
  });
}
