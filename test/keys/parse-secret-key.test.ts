import { describe, expect, it } from 'vitest';
import { parseSecretKey } from '../../src/keys/parse-secret-key.ts';

const BYTES = Buffer.from('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'hex');
const HEX = BYTES.toString('hex');
const BASE64 = BYTES.toString('base64');
const ASCII = 'correct horse battery staple #32';

describe('parseSecretKey', () => {
  it.each([
    ['32 raw bytes', new Uint8Array(BYTES), BYTES],
    ['64 hex digits', HEX, BYTES],
    ['64 hex digits in upper case', HEX.toUpperCase(), BYTES],
    ['base64 of 32 bytes', BASE64, BYTES],
    ['32 ASCII characters', ASCII, Buffer.from(ASCII)],
    ['32 hex digits, which are 32 characters', HEX.slice(0, 32), Buffer.from(HEX.slice(0, 32))],
  ])('takes %s', (_form, secret, key) => {
    expect(parseSecretKey(secret, 'customer-key').equals(key)).toBe(true);
  });

  it('copies raw bytes, so that nobody else changes them', () => {
    const secret = new Uint8Array(BYTES);
    const key = parseSecretKey(secret, 'customer-key');
    secret.fill(0);
    expect(key.equals(BYTES)).toBe(true);
  });

  it.each([
    ['31 bytes', BYTES.subarray(0, 31)],
    ['33 bytes', Buffer.concat([BYTES, Buffer.of(1)])],
    ['no bytes', Buffer.alloc(0)],
    ['64 bytes', Buffer.from(HEX)],
    ['63 hex digits', HEX.slice(1)],
    ['65 hex digits', `${HEX}0`],
    ['64 digits of which one is not hex', `g${HEX.slice(1)}`],
    ['hex with a line end', `${HEX}\n`],
    ['base64 without padding', BASE64.slice(0, -1)],
    ['base64 with spare bits', BASE64.replace(/8=$/, '9=')],
    ['base64url', `-_${BASE64.slice(2)}`],
    ['31 characters', ASCII.slice(1)],
    ['33 characters', `${ASCII}!`],
    ['32 characters of which one is not ASCII', `é${ASCII.slice(1)}`],
    ['32 characters of which one is a control', `\t${ASCII.slice(1)}`],
    ['JSON', JSON.stringify({ key: HEX })],
    ['nothing', ''],
  ])('refuses %s without showing them', (_form, secret) => {
    const error = thrownBy(() => parseSecretKey(secret, 'customer-key'));
    expect(error).toMatchObject({ code: 'customer-key-invalid', retryable: false });
    expect(error.message).toContain(`of ${secret.length} `);
    for (const piece of [HEX.slice(2, 12), BASE64.slice(0, 8), ASCII.slice(1, 9)]) expect(error.message).not.toContain(piece);
  });
});

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
