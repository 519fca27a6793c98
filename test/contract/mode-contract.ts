/** What every encryption mode owes, through the shipped functions, whoever plays AWS. */
import { createHash, randomBytes } from 'node:crypto';
import { GetObjectTaggingCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalStack } from '../e2e/local-stack.ts';

/** As much of a stack as the contract asks for. */
export type ContractStack = Pick<LocalStack, 's3' | 'secrets' | 'env' | 'targetBucket' | 'drop' | 'settled' | 'get' | 'history'>;

export interface ModeCase {
  prefix: string;
  mode: string;
  /** What S3 says of the object in the target bucket. */
  stored: (stack: ContractStack, secretKey: Buffer) => Partial<HeadObjectCommandOutput>;
}

const MANAGED_KEY = expect.stringMatching(/^arn:aws:kms:us-east-1:\d{12}:key\/[0-9a-f-]{36}$/);

/** As a message that S3 encrypts once more. */
function asMessage({ env }: ContractStack) {
  return { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: env.SEALDROP_KMS_KEY_ARN, BucketKeyEnabled: true };
}

/** One for each way of encrypting that test/e2e/policy.yml names by prefix. */
export const MODE_CASES: ModeCase[] = [
  { prefix: 's3/', mode: 'sse-s3', stored: () => ({ ServerSideEncryption: 'AES256' }) },
  { prefix: 'managed/', mode: 'sse-kms', stored: () => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: MANAGED_KEY }) },
  {
    prefix: 'bucket-key/',
    mode: 'sse-kms',
    stored: ({ env }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: env.SEALDROP_KMS_KEY_ARN, BucketKeyEnabled: true }),
  },
  {
    prefix: 'default/',
    mode: 'sse-kms',
    stored: ({ env }) => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: env.SEALDROP_KMS_KEY_ARN }),
  },
  {
    prefix: 'dsse/',
    mode: 'dsse-kms',
    stored: ({ env }) => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: env.SEALDROP_KMS_KEY_ARN }),
  },
  {
    prefix: 'customer/',
    mode: 'sse-c',
    stored: (_, key) => ({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: createHash('md5').update(key).digest('base64') }),
  },
  { prefix: 'sealed/', mode: 'cse-kms', stored: asMessage },
  { prefix: 'shared-key/', mode: 'cse-kms', stored: asMessage },
  { prefix: 'wrapped/', mode: 'cse-aes', stored: asMessage },
];

const SIZES = [0, 1, 100_000, 6 * 1024 * 1024 + 1];

/** Registers the tests of one mode. */
export function modeContract({ prefix, mode, stored }: ModeCase, running: () => ContractStack): void {
  describe(`${prefix} under ${mode}`, () => {
    let stack: ContractStack;
    let secretKey: Buffer;
    beforeAll(async () => {
      stack = running();
      const secret = await stack.secrets.send(new GetSecretValueCommand({ SecretId: stack.env.SEALDROP_CUSTOMER_KEY_SECRET }));
      secretKey = Buffer.from(secret.SecretString ?? '', 'hex');
    });

    const keyOf = (key: string) => ({ Bucket: stack.targetBucket, Key: key });
    const head = (key: string) => {
      const customer = mode === 'sse-c' ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: secretKey.toString('base64') } : {};
      return stack.s3.send(new HeadObjectCommand({ ...keyOf(key), ...customer }));
    };

    test.each(SIZES)('gives %i bytes back as they were dropped', async (size) => {
      const key = `${prefix}size-${size}`;
      const body = randomBytes(size);
      await stack.drop(key, body);
      await stack.settled();
      const answer = await stack.get(key);
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
      expect(answer.headers.get('x-sealdrop-length')).toBe(String(size));
      expect(answer.headers.get('x-sealdrop-encryption')).toBe(mode);
    });

    test('is stored under the encryption that the policy names, as S3 says', async () => {
      const key = `${prefix}stored`;
      await stack.drop(key, 'content');
      await stack.settled();
      const answer = await head(key);
      const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSECustomerAlgorithm, SSECustomerKeyMD5 } = answer;
      const told = { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled, SSECustomerAlgorithm, SSECustomerKeyMD5 };
      const nothing = {
        ServerSideEncryption: undefined,
        SSEKMSKeyId: undefined,
        BucketKeyEnabled: undefined,
        SSECustomerAlgorithm: undefined,
        SSECustomerKeyMD5: undefined,
      };
      expect(told).toEqual({ ...nothing, ...stored(stack, secretKey) });
    });

    test('carries content type, encoding, cache headers, user metadata and tags over', async () => {
      const key = `${prefix}faithful`;
      await stack.drop(key, 'content', {
        ContentType: 'text/plain; charset=utf-8',
        ContentLanguage: 'de',
        ContentDisposition: 'attachment; filename="a.txt"',
        CacheControl: 'max-age=60',
        Metadata: { owner: 'pat', 'case-number': '42' },
        Tagging: 'class=internal&team=a%20b',
      });
      await stack.settled();
      const answer = await stack.get(key);
      expect(await answer.text()).toBe('content');
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-language': 'de',
        'content-disposition': 'attachment; filename="a.txt"',
        'cache-control': 'private, max-age=60',
        'x-amz-meta-owner': 'pat',
        'x-amz-meta-case-number': '42',
      });
      const { TagSet } = await stack.s3.send(new GetObjectTaggingCommand(keyOf(key)));
      expect(TagSet).toEqual(
        expect.arrayContaining([
          { Key: 'class', Value: 'internal' },
          { Key: 'team', Value: 'a b' },
        ]),
      );
    });

    test('answers HEAD with the headers of GET and no body', async () => {
      const key = `${prefix}head`;
      await stack.drop(key, 'twelve bytes', { ContentType: 'text/plain' });
      await stack.settled();
      const [get, head] = [await stack.get(key), await stack.get(key, { method: 'HEAD' })];
      expect(await get.text()).toBe('twelve bytes');
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
      for (const name of ['etag', 'last-modified', 'content-type', 'x-sealdrop-length', 'x-sealdrop-encryption', 'x-sealdrop-version-id']) {
        expect(head.headers.get(name), name).toBe(get.headers.get(name));
        expect(head.headers.get(name), name).not.toBeNull();
      }
    });

    test('gives ranges of the plaintext, the first and the last bytes, and 416 behind its end', async () => {
      const key = `${prefix}ranges`;
      const body = randomBytes(3 * 1024 * 1024 + 17);
      await stack.drop(key, body);
      await stack.settled();
      const ranges = [
        ['bytes=0-9', 0, 9],
        ['bytes=1048570-1048590', 1_048_570, 1_048_590],
        ['bytes=-5', body.length - 5, body.length - 1],
        [`bytes=${body.length - 1}-`, body.length - 1, body.length - 1],
        ['bytes=3145728-9999999', 3_145_728, body.length - 1],
      ] as const;
      for (const [range, first, last] of ranges) {
        const answer = await stack.get(key, { headers: { range } });
        expect(answer.status).toBe(206);
        expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${last}/${body.length}`);
        expect(Buffer.from(await answer.arrayBuffer()).equals(body.subarray(first, last + 1)), range).toBe(true);
      }
      const behind = await stack.get(key, { headers: { range: `bytes=${body.length}-` } });
      expect(behind.status).toBe(416);
      expect(behind.headers.get('content-range')).toBe(`bytes */${body.length}`);
    });

    test('records encryption and download with who, what, when and the key', async () => {
      const key = `${prefix}recorded`;
      await stack.drop(key, 'content');
      await stack.settled();
      await (await stack.get(key)).arrayBuffer();
      const [encrypted, downloaded, ...more] = await stack.history(key);
      expect(more).toEqual([]);
      expect(encrypted).toMatchObject({
        action: 'ObjectEncrypted',
        outcome: 'success',
        key,
        actor: 'function/encrypt',
        size: 7,
        encryption: { mode },
        correlationId: expect.stringMatching(/.+/),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      });
      expect(downloaded).toMatchObject({ action: 'ObjectDownloaded', outcome: 'success', key, encryption: encrypted?.encryption, size: 7 });
      if (mode === 'cse-kms') expect(encrypted?.encryption).toHaveProperty('keyArn', stack.env.SEALDROP_KMS_KEY_ARN);
      if (mode === 'cse-aes') expect(encrypted?.encryption).toHaveProperty('wrappingKeyVersion', expect.stringMatching(/^[0-9a-f-]{36}$/));
      if (mode === 'sse-c') expect(encrypted?.encryption).toHaveProperty('customerKeyVersion', expect.stringMatching(/^[0-9a-f-]{36}$/));
    });
  });
}
