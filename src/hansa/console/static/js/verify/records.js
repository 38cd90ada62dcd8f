// The ledger's own values that a receipt rests on, checked field by field as Python's types do. Pure.
//
// ledger/receipts.py ResultLeaf; ledger/system.py Account, Member, BlockRecord.

import { CanonicalError, decodeJson } from "../canonical.js";
import * as fields from "./fields.js";

const { isDid, isFlag, isInteger, isListOf, isMapOf, isNullOr, isOneOf, isStruct, isText } = fields;

const WRONG = "a field is missing, unknown, of another type or out of bounds";

const isLeaf = isStruct({
  code: isText,
  events: isText,
  index: isInteger,
  message: isText,
  params: isMapOf((value) => isText(value) || isInteger(value)),
  sender: isText,
  tx: isText,
  type: isText,
});
const isStanding = isStruct({
  since: isInteger,
  standing: isOneOf("good", "suspended", "expelled", "closed"),
});
const isKey = isStruct(
  {
    id: isText,
    public: isStruct({ alg: isText, public: isText }),
    purposes: isListOf(isOneOf("sign", "assert", "authenticate", "service")),
    since: isInteger,
  },
  {
    until: isNullOr(isInteger),
    scope: isListOf(isText),
    since_ms: isInteger,
    until_ms: isNullOr(isInteger),
  },
);
const VERSION = { v: isOneOf(1) };
const isAccount = isStruct(
  {
    did: isDid,
    member: isText,
    kind: isOneOf("member", "staff", "citizen", "service"),
    keys: isListOf(isKey),
    standing: isListOf(isStanding),
  },
  { ...VERSION, admin: isFlag },
);
const isMember = isStruct(
  { did: isDid, name: isText, jurisdiction: isText, standing: isListOf(isStanding) },
  { ...VERSION, identifiers: isListOf(isStruct({ scheme: isText, value: isText })) },
);
const isBlock = isStruct(
  { height: isInteger, time_ms: isInteger, hash: isText, results: isText, deadlines: isText },
  VERSION,
);

const reading = (fits) => (bytes) => need(fits, decodeJson(bytes));

/** Records, from their bytes. Throw CanonicalError. */
export const readAccount = reading(isAccount);
export const readMember = reading(isMember);
export const readBlock = reading(isBlock);

/** A result's leaf, from its value. Throws CanonicalError. */
export function readLeafValue(value) {
  return need(isLeaf, value);
}

function need(fits, value) {
  if (!fits(value)) {
    throw new CanonicalError(WRONG);
  }
  return value;
}
