// scrypt (RFC 7914), the one step of a key file that WebCrypto has not. Touches nothing.
//
// The outer PBKDF2 is WebCrypto's own; here is only the part between: Salsa20/8, BlockMix, ROMix.

/** A file may not ask a browser for more memory than this. */
export const MEMORY_MAX = 256 * 1024 * 1024;
/** Blocks mixed before the page may draw again. */
const BLOCKS_AT_ONCE = 4_096;
const WORDS = 16;

/** Key of `size` bytes. n: a power of two above 1. Throws RangeError beyond MEMORY_MAX. */
export async function scrypt(password, salt, { n, r, p, size }) {
  if (!(n > 1 && (n & (n - 1)) === 0 && 128 * r * n <= MEMORY_MAX)) {
    throw new RangeError("scrypt parameters out of range");
  }
  const blockBytes = 128 * r;
  const mixed = await stretch(password, salt, p * blockBytes);
  for (let lane = 0; lane < p; lane += 1) {
    const block = mixed.subarray(lane * blockBytes, (lane + 1) * blockBytes);
    block.set(await mix(block, n, r));
  }
  return stretch(password, mixed, size);
}

async function stretch(password, salt, size) {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: 1 };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, size * 8));
}

/** ROMix (RFC 7914 section 5) of one block. */
async function mix(block, n, r) {
  const words = 2 * r * WORDS;
  const kept = new Uint32Array(n * words);
  const state = readWords(block);
  const room = { other: new Uint32Array(words), x: new Uint32Array(WORDS) };
  for (let step = 0; step < n; step += 1) {
    kept.set(state, step * words);
    mixBlock(state, room, r);
    await breathe(step);
  }
  for (let step = 0; step < n; step += 1) {
    const chosen = (state[words - WORDS] & (n - 1)) * words;
    for (let place = 0; place < words; place += 1) {
      state[place] ^= kept[chosen + place];
    }
    mixBlock(state, room, r);
    await breathe(step);
  }
  return writeWords(state);
}

/** BlockMix (section 4): `state` in place. */
function mixBlock(state, { other, x }, r) {
  x.set(state.subarray((2 * r - 1) * WORDS));
  for (let part = 0; part < 2 * r; part += 1) {
    for (let place = 0; place < WORDS; place += 1) {
      x[place] ^= state[part * WORDS + place];
    }
    salsa(x);
    other.set(x, ((part >> 1) + (part & 1 ? r : 0)) * WORDS);
  }
  state.set(other);
}

/** Salsa20/8 (section 3) in place. Written out: in a loop over a table it takes ten times as long. */
function salsa(x) {
  let x0 = x[0];
  let x1 = x[1];
  let x2 = x[2];
  let x3 = x[3];
  let x4 = x[4];
  let x5 = x[5];
  let x6 = x[6];
  let x7 = x[7];
  let x8 = x[8];
  let x9 = x[9];
  let x10 = x[10];
  let x11 = x[11];
  let x12 = x[12];
  let x13 = x[13];
  let x14 = x[14];
  let x15 = x[15];
  let sum;
  for (let round = 0; round < 4; round += 1) {
    sum = (x0 + x12) | 0;
    x4 ^= (sum << 7) | (sum >>> 25);
    sum = (x4 + x0) | 0;
    x8 ^= (sum << 9) | (sum >>> 23);
    sum = (x8 + x4) | 0;
    x12 ^= (sum << 13) | (sum >>> 19);
    sum = (x12 + x8) | 0;
    x0 ^= (sum << 18) | (sum >>> 14);
    sum = (x5 + x1) | 0;
    x9 ^= (sum << 7) | (sum >>> 25);
    sum = (x9 + x5) | 0;
    x13 ^= (sum << 9) | (sum >>> 23);
    sum = (x13 + x9) | 0;
    x1 ^= (sum << 13) | (sum >>> 19);
    sum = (x1 + x13) | 0;
    x5 ^= (sum << 18) | (sum >>> 14);
    sum = (x10 + x6) | 0;
    x14 ^= (sum << 7) | (sum >>> 25);
    sum = (x14 + x10) | 0;
    x2 ^= (sum << 9) | (sum >>> 23);
    sum = (x2 + x14) | 0;
    x6 ^= (sum << 13) | (sum >>> 19);
    sum = (x6 + x2) | 0;
    x10 ^= (sum << 18) | (sum >>> 14);
    sum = (x15 + x11) | 0;
    x3 ^= (sum << 7) | (sum >>> 25);
    sum = (x3 + x15) | 0;
    x7 ^= (sum << 9) | (sum >>> 23);
    sum = (x7 + x3) | 0;
    x11 ^= (sum << 13) | (sum >>> 19);
    sum = (x11 + x7) | 0;
    x15 ^= (sum << 18) | (sum >>> 14);
    sum = (x0 + x3) | 0;
    x1 ^= (sum << 7) | (sum >>> 25);
    sum = (x1 + x0) | 0;
    x2 ^= (sum << 9) | (sum >>> 23);
    sum = (x2 + x1) | 0;
    x3 ^= (sum << 13) | (sum >>> 19);
    sum = (x3 + x2) | 0;
    x0 ^= (sum << 18) | (sum >>> 14);
    sum = (x5 + x4) | 0;
    x6 ^= (sum << 7) | (sum >>> 25);
    sum = (x6 + x5) | 0;
    x7 ^= (sum << 9) | (sum >>> 23);
    sum = (x7 + x6) | 0;
    x4 ^= (sum << 13) | (sum >>> 19);
    sum = (x4 + x7) | 0;
    x5 ^= (sum << 18) | (sum >>> 14);
    sum = (x10 + x9) | 0;
    x11 ^= (sum << 7) | (sum >>> 25);
    sum = (x11 + x10) | 0;
    x8 ^= (sum << 9) | (sum >>> 23);
    sum = (x8 + x11) | 0;
    x9 ^= (sum << 13) | (sum >>> 19);
    sum = (x9 + x8) | 0;
    x10 ^= (sum << 18) | (sum >>> 14);
    sum = (x15 + x14) | 0;
    x12 ^= (sum << 7) | (sum >>> 25);
    sum = (x12 + x15) | 0;
    x13 ^= (sum << 9) | (sum >>> 23);
    sum = (x13 + x12) | 0;
    x14 ^= (sum << 13) | (sum >>> 19);
    sum = (x14 + x13) | 0;
    x15 ^= (sum << 18) | (sum >>> 14);
  }
  x[0] += x0;
  x[1] += x1;
  x[2] += x2;
  x[3] += x3;
  x[4] += x4;
  x[5] += x5;
  x[6] += x6;
  x[7] += x7;
  x[8] += x8;
  x[9] += x9;
  x[10] += x10;
  x[11] += x11;
  x[12] += x12;
  x[13] += x13;
  x[14] += x14;
  x[15] += x15;
}

function readWords(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length / 4 }, (_none, place) =>
    view.getUint32(4 * place, true),
  );
}

function writeWords(words) {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, place) => view.setUint32(4 * place, word, true));
  return bytes;
}

/** Let the page draw now and then. */
function breathe(step) {
  if (step % BLOCKS_AT_ONCE !== BLOCKS_AT_ONCE - 1) {
    return undefined;
  }
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
