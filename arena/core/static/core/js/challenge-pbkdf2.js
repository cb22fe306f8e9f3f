/**
 * PBKDF2 with HMAC-SHA-256, for pages that browsers give no `crypto.subtle`: those of a plain http
 * address, which an arena inside a company may have. In bits as FIPS 180-4 and RFC 8018 say.
 */

const BLOCK = 64;
const LONGEST = 32;

const primes = [];
for (let n = 2; primes.length < 64; n += 1) {
  if (primes.every((prime) => n % prime)) primes.push(n);
}
/** The first 32 bits of a number's fraction. */
const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
const ROUND = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

const schedule = new Int32Array(64);

/**
 * One step of SHA-256: writes to `out` what `state` becomes with the 16 words of `block`.
 * Nearly all the time is spent here, so it makes no arrays.
 */
function compress(out, state, block) {
  const w = schedule;
  w.set(block);
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  out[0] = state[0] + a;
  out[1] = state[1] + b;
  out[2] = state[2] + c;
  out[3] = state[3] + d;
  out[4] = state[4] + e;
  out[5] = state[5] + f;
  out[6] = state[6] + g;
  out[7] = state[7] + h;
}

function words(bytes) {
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length: BLOCK / 4 }, (_, i) => view.getInt32(4 * i));
}

/** The last block of a message that follows one block of a key: its bytes, and where it ends. */
function ending(bytes) {
  const block = new Uint8Array(BLOCK);
  block.set(bytes);
  block[bytes.length] = 0x80;
  new DataView(block.buffer).setUint32(BLOCK - 4, (BLOCK + bytes.length) * 8);
  return words(block);
}

/** The state of SHA-256 after the key, each byte of it changed by `pad`. */
function keyed(password, pad) {
  const block = new Uint8Array(BLOCK).fill(pad);
  password.forEach((byte, i) => (block[i] ^= byte));
  const state = new Int32Array(8);
  compress(state, START, words(block));
  return state;
}

function pbkdf2(password, salt, rounds) {
  const [inner, outer] = [keyed(password, 0x36), keyed(password, 0x5c)];
  const first = new Uint8Array([...salt, 0, 0, 0, 1]);
  const digest = ending(new Uint8Array(LONGEST));
  const hash = digest.subarray(0, 8);
  const sum = new Int32Array(8);
  let message = ending(first);
  for (let round = 0; round < rounds; round += 1) {
    compress(hash, inner, message);
    compress(hash, outer, digest);
    message = digest;
    for (let i = 0; i < 8; i += 1) sum[i] ^= hash[i];
  }
  const bytes = new Uint8Array(LONGEST);
  sum.forEach((word, i) => new DataView(bytes.buffer).setInt32(4 * i, word));
  return bytes;
}

/** As altcha-lib's own, for keys of at most 32 bytes. */
export async function deriveKey({ algorithm, cost, keyLength = LONGEST }, salt, password) {
  const fits = keyLength <= LONGEST && password.length <= BLOCK && salt.length <= BLOCK - 13;
  if (algorithm !== "PBKDF2/SHA-256" || !fits) throw new Error(`${algorithm} is not known here.`);
  return { parameters: {}, derivedKey: pbkdf2(password, salt, cost).slice(0, keyLength) };
}
