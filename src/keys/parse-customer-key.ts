/** The forms in which people keep a 256-bit key. */
import { SealdropError } from '../errors.ts';

const KEY_BYTES = 32;

/**
 * @param secret SecretBinary (a buffer) or SecretString
 * @returns 32 bytes from 32 raw bytes, 64 hex digits, base64 of 32 bytes, or exactly 32 ASCII characters
 * @throws SealdropError `customer-key-invalid`; its message tells the length and never the value
 */
export function parseCustomerKey(secret: Uint8Array | string): Buffer {
  if (typeof secret !== 'string') {
    if (secret.byteLength !== KEY_BYTES) throw invalid(`SecretBinary of ${secret.byteLength} bytes`);
    return Buffer.from(secret);
  }
  if (/^[0-9a-f]{64}$/i.test(secret)) return Buffer.from(secret, 'hex');
  if (/^[\x20-\x7e]{32}$/.test(secret)) return Buffer.from(secret, 'ascii');
  if (/^[A-Za-z0-9+/]{43}=$/.test(secret)) {
    const bytes = Buffer.from(secret, 'base64');
    // Decoding is lenient about the last digit's spare bits; one key has one spelling.
    if (bytes.byteLength === KEY_BYTES && bytes.toString('base64') === secret) return bytes;
  }
  throw invalid(`SecretString of ${secret.length} characters`);
}

function invalid(found: string): SealdropError {
  return new SealdropError(
    'customer-key-invalid',
    `the customer key is a ${found}; accepted: ${KEY_BYTES} raw bytes, 64 hex digits, base64 of ${KEY_BYTES} bytes or ${KEY_BYTES} ASCII characters`,
  );
}
