// QR codes (ISO/IEC 18004) in the browser, so that what is shown is sent nowhere: bytes, level L.

/** A text longer than the largest code holds. */
export class TooLong extends Error {}

/** Error correction codewords of a block, and blocks, of versions 1 to 40 at level L (table 9). */
const CORRECTION = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
  28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
  8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
];
/** Larger codes are read by no telephone at arm's length. */
const VERSION_MAX = 36;
const QUIET = 4;
const FIELD = 0x11d;
const LEVEL_L = 1;
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** A canvas with the code of a text: black on white, whatever the page's colours. Throws TooLong. */
export function drawQr(text) {
  const modules = encodeQr(new TextEncoder().encode(text));
  const scale = Math.max(2, Math.floor(560 / (modules.length + 2 * QUIET)));
  const canvas = document.createElement("canvas");
  canvas.className = "qr";
  canvas.width = canvas.height = (modules.length + 2 * QUIET) * scale;
  const ink = canvas.getContext("2d");
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, canvas.width, canvas.height);
  ink.fillStyle = "#000";
  modules.forEach((row, y) => row.forEach((isDark, x) => {
    if (isDark) {
      ink.fillRect((x + QUIET) * scale, (y + QUIET) * scale, scale, scale);
    }
  }));
  return canvas;
}

/** Rows of modules (true: dark) of the smallest code that holds the bytes. Throws TooLong. */
export function encodeQr(bytes) {
  const version = chooseVersion(bytes.length);
  const codewords = interleave(fill(bytes, version), version);
  const sketch = drawFunctions(version);
  placeBits(sketch, codewords);
  let best = null;
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const rows = applyMask(sketch, mask);
    const penalty = judgePenalty(rows);
    best = best === null || penalty < best.penalty ? { rows, penalty } : best;
  }
  return best.rows;
}

// --- codewords ---

function chooseVersion(size) {
  for (let version = 1; version <= VERSION_MAX; version += 1) {
    if (4 + countLengthBits(version) + 8 * size <= 8 * countData(version)) {
      return version;
    }
  }
  throw new TooLong(`${size} bytes`);
}

function countLengthBits(version) {
  return version < 10 ? 8 : 16;
}

/** Codewords in all. */
function countAll(version) {
  const ends = version < 2 ? 0 : Math.floor(version / 7) + 2;
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    modules -= (25 * ends - 10) * ends - 55;
  }
  return Math.floor((version >= 7 ? modules - 36 : modules) / 8);
}

function countData(version) {
  return countAll(version) - CORRECTION[version - 1] * BLOCKS[version - 1];
}

function fill(bytes, version) {
  const bits = [];
  const push = (value, size) => {
    for (let place = size - 1; place >= 0; place -= 1) {
      bits.push((value >> place) & 1);
    }
  };
  push(4, 4); // bytes
  push(bytes.length, countLengthBits(version));
  bytes.forEach((byte) => push(byte, 8));
  const room = 8 * countData(version);
  push(0, Math.min(4, room - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) {
    push(pad, 8);
  }
  return Uint8Array.from({ length: room / 8 }, (_each, at) =>
    bits.slice(8 * at, 8 * at + 8).reduce((sum, bit) => 2 * sum + bit, 0),
  );
}

/** Blocks with their correction, one codeword of each in turn. */
function interleave(data, version) {
  const count = BLOCKS[version - 1];
  const correction = CORRECTION[version - 1];
  const short = Math.floor(countAll(version) / count) - correction;
  const longer = countAll(version) % count;
  const generator = makeGenerator(correction);
  const blocks = [];
  for (let at = 0, start = 0; at < count; at += 1) {
    const size = short + (at >= count - longer ? 1 : 0);
    const block = data.slice(start, start + size);
    blocks.push({ block, rest: divide(block, generator) });
    start += size;
  }
  const mixed = [];
  for (let at = 0; at <= short; at += 1) {
    mixed.push(...blocks.filter(({ block }) => at < block.length).map(({ block }) => block[at]));
  }
  for (let at = 0; at < correction; at += 1) {
    mixed.push(...blocks.map(({ rest }) => rest[at]));
  }
  return mixed;
}

function multiply(one, other) {
  let product = 0;
  for (let place = 7; place >= 0; place -= 1) {
    product = (product << 1) ^ ((product >> 7) * FIELD);
    product ^= ((other >> place) & 1) * one;
  }
  return product;
}

function makeGenerator(degree) {
  const generator = new Uint8Array(degree);
  generator[degree - 1] = 1;
  for (let root = 1, round = 0; round < degree; round += 1, root = multiply(root, 2)) {
    for (let place = 0; place < degree; place += 1) {
      generator[place] = multiply(generator[place], root) ^ (generator[place + 1] ?? 0);
    }
  }
  return generator;
}

function divide(data, generator) {
  const rest = new Array(generator.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    generator.forEach((each, place) => {
      rest[place] ^= multiply(each, factor);
    });
  }
  return rest;
}

// --- modules ---

/** {rows, isFixed}: what every code of a version has; format bits are drawn with the mask. */
function drawFunctions(version) {
  const size = 17 + 4 * version;
  const rows = Array.from({ length: size }, () => new Array(size).fill(false));
  const isFixed = Array.from({ length: size }, () => new Array(size).fill(false));
  const set = (x, y, isDark) => {
    rows[y][x] = isDark;
    isFixed[y][x] = true;
  };
  for (let at = 0; at < size; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    drawSquare(x, y, 4, size, (reach) => reach !== 2 && reach !== 4, set);
  }
  const places = listAlignments(version, size);
  const last = places.length - 1;
  places.forEach((x, i) => places.forEach((y, j) => {
    if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) {
      drawSquare(x, y, 2, size, (reach) => reach !== 1, set);
    }
  }));
  drawFormat(set, size, 0);
  if (version >= 7) {
    drawVersion(set, size, version);
  }
  return { rows, isFixed, set, size };
}

function drawSquare(x, y, reach, size, isDark, set) {
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const isInside = x + dx >= 0 && x + dx < size && y + dy >= 0 && y + dy < size;
      if (isInside) {
        set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }
}

function listAlignments(version, size) {
  if (version === 1) {
    return [];
  }
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  const places = [6];
  for (let place = size - 7; places.length < count; place -= step) {
    places.splice(1, 0, place);
  }
  return places;
}

function drawFormat(set, size, mask) {
  const data = (LEVEL_L << 3) | mask;
  let rest = data;
  for (let round = 0; round < 10; round += 1) {
    rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  }
  const bits = ((data << 10) | rest) ^ 0x5412;
  const bit = (place) => ((bits >> place) & 1) === 1;
  for (let place = 0; place <= 5; place += 1) {
    set(8, place, bit(place));
  }
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let place = 9; place < 15; place += 1) {
    set(14 - place, 8, bit(place));
  }
  for (let place = 0; place < 8; place += 1) {
    set(size - 1 - place, 8, bit(place));
  }
  for (let place = 8; place < 15; place += 1) {
    set(8, size - 15 + place, bit(place));
  }
  set(8, size - 8, true);
}

function drawVersion(set, size, version) {
  let rest = version;
  for (let round = 0; round < 12; round += 1) {
    rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  }
  const bits = (version << 12) | rest;
  for (let place = 0; place < 18; place += 1) {
    const isDark = ((bits >> place) & 1) === 1;
    const [a, b] = [size - 11 + (place % 3), Math.floor(place / 3)];
    set(a, b, isDark);
    set(b, a, isDark);
  }
}

/** Two columns at a time from the right, upwards and downwards in turn. */
function placeBits({ rows, isFixed, size }, codewords) {
  let next = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    right = right === 6 ? 5 : right;
    for (let step = 0; step < size; step += 1) {
      const isUpward = ((right + 1) & 2) === 0;
      const y = isUpward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (!isFixed[y][x] && next < codewords.length * 8) {
          rows[y][x] = ((codewords[next >> 3] >> (7 - (next & 7))) & 1) === 1;
          next += 1;
        }
      }
    }
  }
}

function applyMask({ rows, isFixed, size }, mask) {
  const masked = rows.map((row, y) =>
    row.map((isDark, x) => (isFixed[y][x] ? isDark : isDark !== MASKS[mask](x, y))),
  );
  drawFormat((x, y, isDark) => {
    masked[y][x] = isDark;
  }, size, mask);
  return masked;
}

/** How hard a code is to read (7.8.3): runs, squares, what looks like a corner, too much of one. */
function judgePenalty(rows) {
  const size = rows.length;
  const columns = rows.map((_row, x) => rows.map((row) => row[x]));
  let penalty = 0;
  for (const line of [...rows, ...columns]) {
    const text = line.map(Number).join("");
    for (const [run] of text.matchAll(/0{5,}|1{5,}/gu)) {
      penalty += run.length - 2;
    }
    penalty += 40 * [...text.matchAll(/(?=00001011101|10111010000)/gu)].length;
  }
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      const isOne = rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x];
      penalty += isOne && rows[y][x] === rows[y - 1][x - 1] ? 3 : 0;
    }
  }
  const dark = rows.flat().filter(Boolean).length;
  return penalty + 10 * Math.floor(Math.abs((20 * dark) / (size * size) - 10));
}
