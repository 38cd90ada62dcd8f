// Types of decoded values, as msgspec's structs: each is a function that tells whether a value fits. Pure.

export const isText = (value) => typeof value === "string";
export const isInteger = (value) => Number.isInteger(value) || typeof value === "bigint";
export const isFlag = (value) => typeof value === "boolean";
export const isDid = (value) => isText(value) && /^did:hansa:[a-z2-7]{32}$/u.test(value);
export const isOneOf = (...values) => (value) => values.includes(value);
export const isListOf = (isItem) => (value) => Array.isArray(value) && value.every(isItem);
export const isNullOr = (isItem) => (value) => value === null || isItem(value);
export const isMapOf = (isItem) => (value) => isObject(value) && Object.values(value).every(isItem);

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A struct: all of `fields`, some of `optional`, nothing else. */
export function isStruct(fields, optional = {}) {
  const known = { ...fields, ...optional };
  return (value) =>
    isObject(value) &&
    Object.keys(fields).every((name) => name in value) &&
    Object.keys(value).every((name) => Object.hasOwn(known, name) && known[name](value[name]));
}
