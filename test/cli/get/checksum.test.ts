import { describe, expect, test } from 'vitest';
import { startVerification, wholeChecksum } from '../../../cli/get/checksum.ts';

/** Of `123456789`: https://reveng.sourceforge.io/crc-catalogue/all.htm and, of CRC-64/NVME, the NVM Express specification. */
const CHECK = [
  ['crc64nvme', 'ae8b14860a799888'],
  ['crc32', 'cbf43926'],
  ['crc32c', 'e3069283'],
  ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
] as const;

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

async function proofOf(text: string, headers: Record<string, string>, length = text.length) {
  const verification = startVerification({ length, checksum: wholeChecksum(headers) });
  for (const character of text) verification.update(Buffer.from(character));
  return verification.end();
}

describe.each(CHECK)('%s', (name, hex) => {
  const headers = { [`x-amz-checksum-${name}`]: base64(hex) };

  test('is that of the algorithm, byte by byte', async () => {
    expect(await proofOf('123456789', headers)).toBe(name);
  });

  test('tells other bytes of the same length', async () => {
    expect(await proofOf('123456780', headers)).toBeNull();
  });
});

test.each([8, 10])('a length of %d is not one of 9, whatever the checksum says', async (length) => {
  expect(await proofOf('123456789', {}, length)).toBeNull();
  expect(await proofOf('123456789', { 'x-amz-checksum-crc32': base64('cbf43926') }, length)).toBeNull();
});

test.each([
  [{}, null],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==' }, 'crc32'],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-type': 'FULL_OBJECT' }, 'crc32'],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-type': 'COMPOSITE' }, null],
  [{ 'x-amz-checksum-crc32': 'AAAAAA==-12' }, null],
])('of %j it knows %s', (headers, name) => {
  expect(wholeChecksum(headers)?.name ?? null).toBe(name);
});
