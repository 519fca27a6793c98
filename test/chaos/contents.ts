/** The bytes of a state: none like another's, and made anew whenever they are needed. */
import { createCipheriv, createHash } from 'node:crypto';

const IV = Buffer.alloc(16);

export function contents(seed: number, key: string, state: number, size: number): Buffer {
  const streamKey = createHash('sha256')
    .update(JSON.stringify([seed, key, state]))
    .digest();
  return createCipheriv('aes-256-ctr', streamKey, IV).update(Buffer.alloc(size));
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
