/**
 * From the data key to the content's: as it is, or for suite 115 derived, once the commitment holds.
 * @see https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/key-derivation.md
 */
import { createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Content } from './envelope.ts';
import { refusal } from './refusal.ts';

/** 115 as two bytes. */
const SUITE_ID = Buffer.from([0x00, 0x73]);
const FIXED_IV = Buffer.alloc(12, 0x01);
const CONTENT_KEY_BYTES = 32;

/** How a content is to be decrypted. */
export type ContentCipher = { mode: 'gcm'; key: KeyObject; iv: Buffer; aad: Buffer | null } | { mode: 'cbc'; key: KeyObject; iv: Buffer };

/**
 * @param dataKey is copied into a key object, which clears its memory itself
 * @throws SealdropError `source-not-decryptable` when the object was made with another data key
 */
export function contentCipher(content: Content, dataKey: Buffer): ContentCipher {
  switch (content.suite) {
    case 'AES/CBC/PKCS5Padding':
      return { mode: 'cbc', key: createSecretKey(dataKey), iv: content.iv };
    case 'AES/GCM/NoPadding':
      return { mode: 'gcm', key: createSecretKey(dataKey), iv: content.iv, aad: null };
    case '115': {
      const { messageId, commitment } = content;
      if (!timingSafeEqual(derive(dataKey, messageId, 'COMMITKEY', commitment.byteLength), commitment)) {
        throw refusal('its key commitment does not hold: the data key is not the one that it was encrypted with');
      }
      const derived = derive(dataKey, messageId, 'DERIVEKEY', CONTENT_KEY_BYTES);
      const key = createSecretKey(derived);
      derived.fill(0);
      return { mode: 'gcm', key, iv: FIXED_IV, aad: SUITE_ID };
    }
    default:
      return content satisfies never;
  }
}

function derive(dataKey: Buffer, messageId: Buffer, label: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha512', dataKey, messageId, Buffer.concat([SUITE_ID, Buffer.from(label)]), length));
}
