// What the ledger asks of a P-256 signature beyond WebCrypto: raw r||s with s in the lower half. Pure.

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SIZE = 32;

/** The same signature with low s (decision D2): for each (r, s) also (r, order - s) would hold. */
export function lowerS(signature) {
  const s = readNumber(signature.subarray(SIZE));
  if (s <= ORDER / 2n) {
    return signature;
  }
  const lowered = signature.slice();
  lowered.set(writeNumber(ORDER - s), SIZE);
  return lowered;
}

function readNumber(bytes) {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function writeNumber(number) {
  const bytes = new Uint8Array(SIZE);
  let left = number;
  for (let place = SIZE - 1; place >= 0; place -= 1) {
    bytes[place] = Number(left & 0xffn);
    left >>= 8n;
  }
  return bytes;
}
