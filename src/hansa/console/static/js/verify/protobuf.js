// Protobuf as CometBFT (gogoproto) writes it: fields in order, zero values left out. Writes only. Pure.

import { concat } from "../digests.js";
import { require, say } from "./reasons.js";

const VARINT = 0n;
const FIXED64 = 1n;
const BYTES = 2n;
const INT64_MIN = -(2n ** 63n);
const UINT64_END = 2n ** 64n;

/** Base-128 varint of a BigInt; a negative one as its 64-bit two's complement. */
export function encodeVarint(number) {
  require(number >= INT64_MIN && number < UINT64_END, tooLarge());
  const bytes = [];
  let left = BigInt.asUintN(64, number);
  while (left > 0x7fn) {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}

/** Bytes after their length. */
export function delimit(bytes) {
  return concat(encodeVarint(BigInt(bytes.length)), bytes);
}

/** Field of an integer type; nothing when zero. */
export function integerField(number, value) {
  return value === 0n ? new Uint8Array() : concat(tag(number, VARINT), encodeVarint(value));
}

/** Field of type sfixed64; nothing when zero. */
export function fixedField(number, value) {
  require(value >= INT64_MIN && value < -INT64_MIN, tooLarge());
  if (value === 0n) {
    return new Uint8Array();
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return concat(tag(number, FIXED64), bytes);
}

/** Field of type bytes or string (UTF-8); nothing when empty. */
export function bytesField(number, bytes) {
  return bytes.length === 0 ? new Uint8Array() : messageField(number, bytes);
}

/** Embedded message; written even when empty. */
export function messageField(number, bytes) {
  return concat(tag(number, BYTES), delimit(bytes));
}

function tooLarge() {
  return say("an integer does not fit 64 bits");
}

function tag(number, wireType) {
  return encodeVarint((BigInt(number) << 3n) | wireType);
}
