/** Checksums that S3 verifies, keeps and gives back. */
import { createHash } from 'node:crypto';
import { GetObjectAttributesCommand } from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { head, put } from './objects.ts';

const GUIDE = ['s3-guide', 'checking-object-integrity-upload'] as const;
/** Of the bytes "123456789", as the algorithms' specifications give them. */
const NINE = '123456789';
const CHECK_VALUES = {
  CRC32: 'y/Q5Jg==',
  CRC32C: '4waSgw==',
  CRC64NVME: 'rosUhgp5mIg=',
  SHA1: createHash('sha1').update(NINE).digest('base64'),
  SHA256: createHash('sha256').update(NINE).digest('base64'),
} as const;

export const CHECKSUMS: Expectation[] = [
  ...Object.entries(CHECK_VALUES).map(([algorithm, value]) =>
    expectation(
      `s3.checksum.${algorithm.toLowerCase()}`,
      `a right ${algorithm} is kept and given back, a wrong one refused with BadDigest`,
      GUIDE,
      async (stage) => {
        const field = `Checksum${algorithm}`;
        const { at, answer } = await put(stage, { Body: NINE, [field]: value });
        has('the answer', answer, { [field]: value });
        has('HEAD', await head(stage, at, { ChecksumMode: 'ENABLED' }), { [field]: value, ChecksumType: 'FULL_OBJECT' });
        await refused(put(stage, { Body: `${NINE}0`, [field]: value }), '400 BadDigest');
      },
    ),
  ),
  expectation('s3.checksum.malformed', 'a checksum of the wrong length is refused', GUIDE, async (stage) => {
    await refused(put(stage, { Body: NINE, ChecksumSHA256: 'AAAA' }), '400 InvalidRequest', '400 BadDigest');
  }),
  expectation('s3.checksum.only-when-asked', 'HEAD gives checksums only when asked', ['s3-api', 'API_HeadObject'], async (stage) => {
    const { at } = await put(stage, { Body: NINE, ChecksumSHA256: CHECK_VALUES.SHA256 });
    same('unasked', (await head(stage, at)).ChecksumSHA256, undefined);
  }),
  expectation(
    's3.checksum.attributes',
    'GetObjectAttributes gives checksum, size and an ETag without quotes',
    ['s3-api', 'API_GetObjectAttributes'],
    async (stage) => {
      const { at } = await put(stage, { Body: NINE, ChecksumSHA256: CHECK_VALUES.SHA256 });
      const command = new GetObjectAttributesCommand({ ...at, ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize'] });
      const answer = await stage.s3.send(command);
      has('the attributes', answer, { ObjectSize: 9 });
      same('the checksum', answer.Checksum?.ChecksumSHA256, CHECK_VALUES.SHA256);
      matches('the ETag', answer.ETag, /^[0-9a-f]{32}$/);
    },
  ),
];
