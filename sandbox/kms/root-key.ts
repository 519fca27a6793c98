/** The key at the bottom: it wraps what other services keep in the database, and lies in a file of its own. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readRootKey } from '../root-key.ts';
import type { State } from '../state.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealer {
  /** AES-256-GCM; `label` is authenticated, so that a sealed value cannot stand in for another. */
  seal(plaintext: Buffer, label: string): Buffer;
  /** Throws when the bytes, the label or the root key are not those of `seal`. */
  open(sealed: Buffer, label: string): Buffer;
}

/** @param purpose each gets a key of its own, derived from the root key of this state */
export function openSealer(state: State, purpose: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', readRootKey(state.folder('kms')), Buffer.alloc(0), `sealdrop sandbox ${purpose}`, KEY_BYTES));
  return {
    seal(plaintext, label) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(label));
      return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, label) {
      const iv = sealed.subarray(0, IV_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(label));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    },
  };
}
