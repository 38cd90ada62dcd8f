// Check digits of identifiers, as src/hansa/primitives/identifiers.py judges them. Pure.
//
// Only the schemes that clerks type all day; what is not here counts as right, the server judges it.

const USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const USCC_FORM = new RegExp(`^[${USCC}]{2}[0-9]{6}[${USCC}]{10}$`, "u");
const LENGTHS = { "0088": [13], GTIN: [8, 12, 13, 14], SSCC: [18] };

/** Whether an identifier of a scheme holds, as far as it is judged here. */
export function holds(scheme, value) {
  const plain = value.toUpperCase().replace(/[\s.\-/]/gu, "");
  if (scheme === "CN-USCC") {
    return USCC_FORM.test(plain) && checkUscc(plain);
  }
  if (scheme === "0199") {
    return /^[0-9A-Z]{18}[0-9]{2}$/u.test(plain) && remainder97(plain) === 1;
  }
  if (Object.hasOwn(LENGTHS, scheme)) {
    return /^[0-9]+$/u.test(plain) && LENGTHS[scheme].includes(plain.length) && checkGs1(plain);
  }
  return true;
}

/** GB 32100-2015, annex A: weights are powers of 3 modulo 31. */
function checkUscc(code) {
  let total = 0;
  let weight = 1;
  for (const character of code.slice(0, 17)) {
    total += USCC.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return USCC[(31 - (total % 31)) % 31] === code[17];
}

/** GS1 General Specifications 7.9: weights 3, 1, … from the right. */
function checkGs1(digits) {
  let total = 0;
  for (let place = 1; place < digits.length; place += 1) {
    total += Number(digits.at(-1 - place)) * (place % 2 === 1 ? 3 : 1);
  }
  return (10 - (total % 10)) % 10 === Number(digits.at(-1));
}

/** ISO/IEC 7064 MOD 97-10, A = 10. */
function remainder97(text) {
  let rest = 0;
  for (const character of text) {
    for (const digit of String(Number.parseInt(character, 36))) {
      rest = (rest * 10 + Number(digit)) % 97;
    }
  }
  return rest;
}
