// Whether an issuer was entitled as at a time: the walk up to a root, over the facts of a bundle.
//
// As src/hansa/identity/accreditation.py, without recognitions: who needs one is not judged here.

import { find } from "./bundle_facts.js";
import { Failed, require, say, Unjudged } from "./reasons.js";

const DEPTH_MAX = 8;
const ANY = "*";
const GOVERNED = "governance";

/** Judge the chain of a credential as at atMs. Throws Failed, Unjudged. */
export function judgeChain({ credential, facts }, atMs) {
  const [leaf] = credential.accreditations;
  require(leaf !== undefined, say("it names no accreditation of its issuer"));
  const schema = findSchema(credential, facts);
  const links = followChain(leaf, facts);
  links.forEach((link, place) => judgeLink(link, links[place + 1], atMs));
  require(links[0].level === "attest", say("its accreditation is not one to issue"));
  require(links[0].subject === credential.issuer, say("the accreditation is another issuer's"));
  const places = links[0].scope.flatMap(({ jurisdictions }) => jurisdictions);
  const isCovered = covers(links[0].scope, schema, places[0]);
  if (!isCovered) {
    throw new Unjudged(say("its accreditation does not cover the schema by itself: recognitions are not judged in the browser"));
  }
  return say("entitled: {links}", { links: links.map(({ id }) => id).join(" < ") });
}

function findSchema({ schemas }, facts) {
  const [id] = schemas;
  if (id === undefined) {
    throw new Unjudged(say("it names no schema of the league"));
  }
  const record = find(facts, `schemas/schema/${id}`);
  if (record === null) {
    throw new Unjudged(say("nobody published its schema"));
  }
  return [id, `${record.name}:${record.version.split(".")[0]}`];
}

function followChain(leaf, facts) {
  const links = [];
  let wanted = leaf;
  while (links.length < DEPTH_MAX) {
    const link = find(facts, `accreditations/accreditation/${wanted}`);
    require(link !== null && link.id === wanted, say("there is no accreditation {id}", { id: wanted }));
    links.push(link);
    if (link.level === "root") {
      return links;
    }
    wanted = link.parent;
  }
  throw new Failed(say("the chain of accreditations is too long"));
}

function judgeLink(link, parent, atMs) {
  const { id } = link;
  require(atMs >= link.since_ms, say("{id} was not valid yet", { id }));
  const standing = link.standing.findLast(({ since_ms: since }) => since <= atMs)?.standing;
  require(standing !== "revoked", say("{id} was revoked", { id }));
  require(link.until_ms === null || atMs < link.until_ms, say("{id} had expired", { id }));
  require(standing === "active", say("{id} was suspended", { id }));
  if (link.level === "root") {
    require(link.parent === "" && link.accreditor === GOVERNED, say("{id} is no root", { id }));
  } else {
    judgeParent(link, parent);
  }
}

function judgeParent(link, parent) {
  const exceeds = say("{id} goes beyond its parent", { id: link.id });
  require(parent.level !== "attest", say("the parent of {id} may not accredit", { id: link.id }));
  require(parent.subject === link.accreditor && parent.framework === link.framework, exceeds);
  require(link.since_ms >= parent.since_ms, exceeds);
  const isWithin = parent.until_ms === null || (link.until_ms !== null && link.until_ms <= parent.until_ms);
  require(isWithin, exceeds);
  for (const { schemas, jurisdictions } of link.scope) {
    for (const name of schemas) {
      require(name !== ANY, exceeds);
      require(jurisdictions.every((place) => covers(parent.scope, [name], place)), exceeds);
    }
  }
}

function covers(scope, names, place) {
  return scope.some(
    ({ schemas, jurisdictions }) =>
      jurisdictions.includes(place) && (schemas.includes(ANY) || names.some((name) => schemas.includes(name))),
  );
}
