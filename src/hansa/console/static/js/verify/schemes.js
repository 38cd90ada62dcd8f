// Check digits of identifiers of organisations and things, as primitives/identifiers.py has them. Pure.
//
// The formats come as data with the release; the arithmetic is here, by scheme.

const USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/**
 * Whether `value` is an identifier of `scheme` in its one spelling. schemes: {scheme: {pattern,
 * checked}}. null: it has check digits that this release cannot compute.
 */
export function isIdentifier(schemes, scheme, value) {
  if (!Object.hasOwn(schemes, scheme)) {
    return false;
  }
  const { pattern, checked } = schemes[scheme];
  if (!new RegExp(`^(?:${pattern})$`, "u").test(value)) {
    return false;
  }
  if (!checked) {
    return true;
  }
  return CHECKS[scheme] === undefined ? null : CHECKS[scheme](value);
}

const CHECKS = {
  "CN-USCC": isUscc,
  "0199": isMod97,
  "0088": isGs1,
  GTIN: isGs1,
  SSCC: isGs1,
  "0002": isLuhn,
  "0007": isLuhn,
  "0009": isLuhn,
  "0151": (value) => isMultiple([10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19], 89)(lessOne(value)),
  "0183": isSwiss,
  "0184": isMultiple([2, 7, 6, 5, 4, 3, 2, 1], 11),
  "0188": isJapanese,
  "0192": isMultiple([3, 2, 7, 6, 5, 4, 3, 2, 1], 11),
  "0196": isMultiple([3, 2, 7, 6, 5, 4, 3, 2, 1, 0], 11),
  "0204": (value) => isMod97(value.replaceAll("-", "")),
  "0208": (value) => 97 - (Number(value.slice(0, 8)) % 97) === Number(value.slice(8)),
  "0211": (value) => isLuhn(value.replace(/^IT/u, "")),
  "0212": isMultiple([7, 9, 10, 5, 8, 4, 2, 1], 11),
};

function isUscc(value) {
  let sum = 0;
  let weight = 1;
  for (const character of value.slice(0, 17)) {
    sum += USCC.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return USCC[(31 - (sum % 31)) % 31] === value[17];
}

function isGs1(value) {
  const digits = Array.from(value.slice(0, -1), Number).reverse();
  const sum = digits.reduce((total, digit, place) => total + digit * (place % 2 === 0 ? 3 : 1), 0);
  return (10 - (sum % 10)) % 10 === Number(value.at(-1));
}

/** ISO/IEC 7064 MOD 97-10 over digits and letters (A = 10). */
function isMod97(value) {
  const digits = Array.from(value, (character) => Number.parseInt(character, 36)).join("");
  return BigInt(digits) % 97n === 1n;
}

function isLuhn(value) {
  const digits = Array.from(value, Number).reverse();
  const sum = digits.reduce((total, digit, place) => {
    const doubled = digit * (place % 2 === 1 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function isMultiple(weights, modulus) {
  return (value) =>
    Array.from(value, Number).reduce((sum, digit, place) => sum + digit * weights[place], 0) %
      modulus ===
    0;
}

function lessOne(value) {
  return String(Number(value[0]) - 1) + value.slice(1);
}

function isJapanese(value) {
  const digits = Array.from(value.slice(1), Number).reverse();
  const sum = digits.reduce((total, digit, place) => total + digit * (place % 2 === 0 ? 1 : 2), 0);
  return 9 - (sum % 9) === Number(value[0]);
}

function isSwiss(value) {
  const weights = [5, 4, 3, 2, 7, 6, 5, 4];
  const sum = weights.reduce((total, weight, place) => total + weight * Number(value[3 + place]), 0);
  return (11 - (sum % 11)) % 11 === Number(value[11]);
}
