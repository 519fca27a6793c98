/** SSE-C: the caller's key, of which only a salted HMAC is kept. */
import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { accessDenied, invalidRequest } from '../errors.ts';
import type { CustomerKey, EncryptionMode, Sealed } from './mode.ts';

const SALT_BYTES = 32;
const OBJECT_KEY_INFO = 'sealdrop sandbox SSE-C object key';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html */
export function sseC(): EncryptionMode<'sse-c'> {
  return {
    seal({ customerKey }) {
      const salt = randomBytes(SALT_BYTES);
      const check = checkOf(customerKey.key, salt);
      return {
        sealed: { mode: 'sse-c', salt: salt.toString('base64'), check: check.toString('base64') },
        layers: [objectKey(customerKey.key, salt)],
      };
    },

    open(sealed, _owner, customerKey) {
      if (!customerKey) {
        throw invalidRequest(
          'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
        );
      }
      if (!isKeyOf(sealed, customerKey)) {
        throw accessDenied('Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.');
      }
      return [objectKey(customerKey.key, Buffer.from(sealed.salt, 'base64'))];
    },
  };
}

/** In constant time. */
export function isKeyOf(sealed: Extract<Sealed, { mode: 'sse-c' }>, customerKey: CustomerKey): boolean {
  const expected = Buffer.from(sealed.check, 'base64');
  return timingSafeEqual(checkOf(customerKey.key, Buffer.from(sealed.salt, 'base64')), expected);
}

function checkOf(key: Buffer, salt: Buffer): Buffer {
  return createHmac('sha256', createSecretKey(salt)).update(key).digest();
}

/** Every object its own key, so that no counter is ever used twice under the caller's. */
function objectKey(key: Buffer, salt: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', createSecretKey(key), salt, OBJECT_KEY_INFO, 32)));
}
