/** The forms in which people keep a 256-bit key. */
import { SealdropError } from '../errors.ts';

const KEY_BYTES = 32;

/** Which key it is: what its failures are called by. */
export type KeyKind = 'customer-key' | 'wrapping-key';

/**
 * @param secret SecretBinary (a buffer) or SecretString
 * @returns 32 bytes from 32 raw bytes, 64 hex digits, base64 of 32 bytes, or exactly 32 ASCII characters
 * @throws SealdropError `customer-key-invalid` or `wrapping-key-invalid`; its message tells the length and never the value
 */
export function parseSecretKey(secret: Uint8Array | string, kind: KeyKind): Buffer {
  if (typeof secret !== 'string') {
    if (secret.byteLength !== KEY_BYTES) throw invalid(kind, `SecretBinary of ${secret.byteLength} bytes`);
    return Buffer.from(secret);
  }
  if (/^[0-9a-f]{64}$/i.test(secret)) return Buffer.from(secret, 'hex');
  if (/^[\x20-\x7e]{32}$/.test(secret)) return Buffer.from(secret, 'ascii');
  if (/^[A-Za-z0-9+/]{43}=$/.test(secret)) {
    const bytes = Buffer.from(secret, 'base64');
    // Decoding is lenient about the last digit's spare bits; one key has one spelling.
    if (bytes.byteLength === KEY_BYTES && bytes.toString('base64') === secret) return bytes;
  }
  throw invalid(kind, `SecretString of ${secret.length} characters`);
}

function invalid(kind: KeyKind, found: string): SealdropError {
  return new SealdropError(
    `${kind}-invalid`,
    `the ${kind.replace('-', ' ')} is a ${found}; accepted: ${KEY_BYTES} raw bytes, 64 hex digits, base64 of ${KEY_BYTES} bytes or ${KEY_BYTES} ASCII characters`,
  );
}
