// Names of members by their DIDs, asked of this gateway: public, and few.

import { askJson } from "../wire.js";

const found = new Map();

/** {DID: name} of those that are members; others are left out. Never throws. */
export async function findNames(dids) {
  const wanted = [...new Set(dids)].filter((did) => did.startsWith("did:hansa:"));
  await Promise.all(wanted.filter((did) => !found.has(did)).map(ask));
  return Object.fromEntries(wanted.filter((did) => found.get(did)).map((did) => [did, found.get(did)]));
}

/** Name of a schema of this league by its id, "" for none. Never throws. */
export async function findSchemaName(id) {
  if (id !== "" && !found.has(id)) {
    try {
      found.set(id, (await askJson(`/v1/apps/schemas/schema/${id}`)).name);
    } catch {
      found.set(id, "");
    }
  }
  return found.get(id) ?? "";
}

async function ask(did) {
  try {
    found.set(did, (await askJson(`/v1/apps/members/member/${encodeURIComponent(did)}`)).name);
  } catch {
    found.set(did, "");
  }
}

/** The documents with the names of their schemas in place of the urn:hansa:schema: of their types. */
export async function nameTypes(documents) {
  const named = documents.map(async (each) => ({
    ...each,
    parts: await nameTypes(each.parts),
    types: await Promise.all(each.types.map(nameType)),
  }));
  return await Promise.all(named);
}

async function nameType(type) {
  const [, id = ""] = /^urn:hansa:schema:([0-9a-f]{64})$/u.exec(type) ?? [];
  return (await findSchemaName(id)) || type;
}
