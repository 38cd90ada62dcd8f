// A database of this browser (IndexedDB): opened for one transaction and closed again.

/** The browser keeps nothing for this page (private window, full disk, switched off). */
export class StoreFault extends Error {}

/**
 * The function that runs one transaction on a database: run(store, mode, act) -> what the request
 * that `act` returned answered. `stores`: object stores and the field that names an entry.
 */
export function describeDatabase(name, version, stores) {
  return async function run(store, mode, act) {
    const database = await open(name, version, stores);
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
  };
}

function open(name, version, stores) {
  return new Promise((resolve, reject) => {
    if (globalThis.indexedDB === undefined) {
      reject(new StoreFault("this browser keeps nothing for this page"));
      return;
    }
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(stores)) {
        request.result.createObjectStore(store, { keyPath });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StoreFault(String(request.error)));
  });
}
