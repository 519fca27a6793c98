/** Random numbers that a seed decides. */
import { hash } from 'node:crypto';

/**
 * Numbers from 0 to below 1, the same ones for the same seed and name.
 * The generator is sfc32 of PractRand (https://pracrand.sourceforge.net/), public domain.
 */
export function createGenerator(seed: number, name: string): () => number {
  const state = new Int32Array(Uint8Array.from(hash('sha256', `${seed}/${name}`, 'buffer').subarray(0, 16)).buffer);
  let [a = 0, b = 0, c = 0, counter = 0] = state;
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
}
