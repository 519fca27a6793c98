/** SSE-C: the caller's key, which S3 forgets. */
import { randomBytes } from 'node:crypto';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectTaggingCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { SSE_C_ALLOWED, type Stage } from '../stage.ts';
import { copy, customerKey, get, head, md5Hex, put, read, sourceKey, text } from './objects.ts';

const GUIDE = ['s3-guide', 'ServerSideEncryptionCustomerKeys'] as const;
const HEADERS = ['s3-guide', 'specifying-s3-c-encryption'] as const;
const BLOCKING = ['s3-guide', 'blocking-unblocking-s3-c-encryption-gpb'] as const;

export const SSE_C: Expectation[] = [
  expectation('s3.sse-c.roundtrip', 'an object under a customer key comes back with the same key', GUIDE, async (stage) => {
    const key = customerKey();
    const { at } = await put(stage, { Body: 'secret', ...key });
    same('what is read', await text(stage, at, key), 'secret');
  }),
  expectation('s3.sse-c.answer', 'PutObject answers with algorithm and key MD5, and names no other encryption', HEADERS, async (stage) => {
    const key = customerKey();
    const { answer } = await put(stage, key);
    has('the answer', answer, {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKeyMD5: key.SSECustomerKeyMD5,
      ServerSideEncryption: undefined,
      SSEKMSKeyId: undefined,
    });
  }),
  expectation('s3.sse-c.head', 'HEAD with the key answers with algorithm and key MD5', HEADERS, async (stage) => {
    const key = customerKey();
    const { at } = await put(stage, key);
    has('HEAD', await head(stage, at, key), { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: key.SSECustomerKeyMD5 });
  }),
  expectation('s3.sse-c.get-without-key', 'GET without the key is refused with InvalidRequest', HEADERS, async (stage) => {
    const { at } = await put(stage, customerKey());
    await refused(get(stage, at), '400 InvalidRequest');
  }),
  expectation('s3.sse-c.get-with-another-key', 'GET with another key is refused with AccessDenied', HEADERS, async (stage) => {
    const { at } = await put(stage, customerKey());
    await refused(get(stage, at, customerKey()), '403 AccessDenied');
  }),
  expectation('s3.sse-c.head-without-key', 'HEAD without the key is a 400', ['s3-api', 'API_HeadObject'], async (stage) => {
    const { at } = await put(stage, customerKey());
    await refused(head(stage, at), '400');
  }),
  expectation('s3.sse-c.head-with-another-key', 'HEAD with another key is a 403', ['s3-api', 'API_HeadObject'], async (stage) => {
    const { at } = await put(stage, customerKey());
    await refused(head(stage, at, customerKey()), '403');
  }),
  expectation(
    's3.sse-c.key-for-an-object-without',
    'a key for an object that has none is refused with InvalidRequest',
    HEADERS,
    async (stage) => {
      const { at } = await put(stage);
      await refused(get(stage, at, customerKey()), '400 InvalidRequest');
    },
  ),
  expectation('s3.sse-c.wrong-md5', 'a key whose MD5 is another one’s is refused with InvalidArgument', HEADERS, async (stage) => {
    const command = new PutObjectCommand({ Bucket: await stage.bucket(), Key: stage.unique(), Body: 'x', ...customerKey() });
    // The SDK says the right MD5 whatever it is given.
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        headers['x-amz-server-side-encryption-customer-key-md5'] = customerKey().SSECustomerKeyMD5;
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    await refused(stage.s3.send(command), '400 InvalidArgument');
  }),
  expectation('s3.sse-c.short-key', 'a key of 31 bytes is refused with InvalidArgument', GUIDE, async (stage) => {
    await refused(put(stage, customerKey(randomBytes(31))), '400 InvalidArgument');
  }),
  expectation('s3.sse-c.long-key', 'a key of 33 bytes is refused with InvalidArgument', GUIDE, async (stage) => {
    await refused(put(stage, customerKey(randomBytes(33))), '400 InvalidArgument');
  }),
  expectation('s3.sse-c.algorithm', 'any algorithm but AES256 is refused', HEADERS, async (stage) => {
    await refused(
      put(stage, { ...customerKey(), SSECustomerAlgorithm: 'AES128' }),
      '400 InvalidEncryptionAlgorithmError',
      '400 InvalidArgument',
    );
  }),
  expectation('s3.sse-c.and-sse-kms', 'a customer key beside SSE-KMS is refused with InvalidArgument', GUIDE, async (stage) => {
    await refused(put(stage, { ...customerKey(), ServerSideEncryption: 'aws:kms' }), '400 InvalidArgument');
  }),
  expectation('s3.sse-c.etag', 'the ETag is no MD5 of the content', ['s3-api', 'API_Object'], async (stage) => {
    const { answer } = await put(stage, { Body: 'content', ...customerKey() });
    matches('the ETag', answer.ETag, new RegExp(`^"(?!${md5Hex('content')})[0-9a-f]{32}"$`));
  }),
  expectation('s3.sse-c.range', 'a range decrypts from any byte', GUIDE, async (stage) => {
    const key = customerKey();
    const body = randomBytes(100_000);
    const { at } = await put(stage, { Body: body, ...key });
    const part = await read(stage, at, { Range: 'bytes=33333-66665', ...key });
    same('the range', part.equals(body.subarray(33_333, 66_666)), true);
  }),
  expectation('s3.sse-c.tags-need-no-key', 'tags are read without the key', ['s3-api', 'API_GetObjectTagging'], async (stage) => {
    const { at } = await put(stage, { Tagging: 'a=b', ...customerKey() });
    same('the tags', (await stage.s3.send(new GetObjectTaggingCommand(at))).TagSet, [{ Key: 'a', Value: 'b' }]);
  }),
  expectation(
    's3.sse-c.attributes-need-the-key',
    'GetObjectAttributes needs the key',
    ['s3-api', 'API_GetObjectAttributes'],
    async (stage) => {
      const key = customerKey();
      const { at } = await put(stage, { Body: 'four', ...key });
      const attributes = (more: object) =>
        stage.s3.send(new GetObjectAttributesCommand({ ...at, ObjectAttributes: ['ObjectSize'], ...more }));
      await refused(attributes({}), '400 InvalidRequest');
      same('the size', (await attributes(key)).ObjectSize, 4);
    },
  ),
  expectation('s3.sse-c.delete-needs-no-key', 'an object is deleted without its key', ['s3-api', 'API_DeleteObject'], async (stage) => {
    const key = customerKey();
    const { at } = await put(stage, key);
    await stage.s3.send(new DeleteObjectCommand(at));
    await refused(get(stage, at, key), '404 NoSuchKey');
  }),
  expectation('s3.sse-c.versions', 'each version has its own key', GUIDE, async (stage) => {
    const [first, second] = [customerKey(), customerKey()];
    const one = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'one', ...first });
    await put(stage, { ...one.at, Body: 'two', ...second });
    same('the older version', await text(stage, one.at, { VersionId: one.answer.VersionId, ...first }), 'one');
    await refused(get(stage, one.at, first), '403 AccessDenied');
  }),
  expectation(
    's3.sse-c.copy-without-source-key',
    'a copy without the source’s key is refused with InvalidRequest',
    ['s3-api', 'API_CopyObject'],
    async (stage) => {
      const { at } = await put(stage, customerKey());
      await refused(copy(stage, at), '400 InvalidRequest');
    },
  ),
  expectation(
    's3.sse-c.copy-with-another-source-key',
    'a copy with another key for the source is refused with AccessDenied',
    ['s3-api', 'API_CopyObject'],
    async (stage) => {
      const { at } = await put(stage, customerKey());
      await refused(copy(stage, at, sourceKey(customerKey())), '403 AccessDenied');
    },
  ),
  expectation('s3.sse-c.rotate-in-place', 'a copy onto itself turns the key', ['s3-api', 'API_CopyObject'], async (stage) => {
    const [old, fresh] = [customerKey(), customerKey()];
    const { at } = await put(stage, old);
    await copy(stage, at, { Key: at.Key, ...sourceKey(old), ...fresh });
    same('under the new key', await text(stage, at, fresh), 'content');
    await refused(get(stage, at, old), '403 AccessDenied');
  }),
  expectation(
    's3.sse-c.part-without-key',
    'a part without the upload’s key is refused with InvalidRequest',
    ['s3-api', 'API_UploadPart'],
    async (stage) => {
      await refused(part(stage, await begin(stage, customerKey()), {}), '400 InvalidRequest');
    },
  ),
  expectation(
    's3.sse-c.part-with-another-key',
    'a part with another key than the upload’s is refused',
    ['s3-api', 'API_UploadPart'],
    async (stage) => {
      await refused(part(stage, await begin(stage, customerKey()), customerKey()), '400 InvalidRequest', '403 AccessDenied');
    },
  ),
  expectation(
    's3.sse-c.part-answer',
    'a part under a key answers with algorithm and key MD5',
    ['s3-api', 'API_UploadPart'],
    async (stage) => {
      const key = customerKey();
      const answer = await part(stage, await begin(stage, key), key);
      has('the answer', answer, { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: key.SSECustomerKeyMD5 });
    },
  ),
  expectation('s3.sse-c.blocked.put', 'a new bucket refuses SSE-C with AccessDenied until it is allowed', BLOCKING, async (stage) => {
    const Bucket = await stage.newBucket();
    await refused(put(stage, { Bucket, ...customerKey() }), '403 AccessDenied');
    await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: SSE_C_ALLOWED }));
    await put(stage, { Bucket, ...customerKey() });
  }),
  expectation('s3.sse-c.blocked.upload', 'where SSE-C is blocked, a multipart upload under it is refused', BLOCKING, async (stage) => {
    const Bucket = await stage.newBucket();
    await refused(stage.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts', ...customerKey() })), '403 AccessDenied');
  }),
  expectation('s3.sse-c.blocked.copy', 'where SSE-C is blocked, a copy under it is refused', BLOCKING, async (stage) => {
    const { at } = await put(stage);
    await refused(copy(stage, at, { Bucket: await stage.newBucket(), ...customerKey() }), '403 AccessDenied');
  }),
  expectation('s3.sse-c.blocked.read', 'what is under SSE-C stays readable when it is blocked afterwards', BLOCKING, async (stage) => {
    const Bucket = await stage.newBucket();
    await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: SSE_C_ALLOWED }));
    const key = customerKey();
    const { at } = await put(stage, { Bucket, ...key });
    const blocked = { Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['SSE-C' as const] } }] };
    await stage.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: blocked }));
    same('what is read', await text(stage, at, key), 'content');
  }),
];

interface Upload {
  Bucket: string;
  Key: string;
  UploadId: string | undefined;
}

async function begin(stage: Stage, more: object): Promise<Upload> {
  const at = { Bucket: await stage.bucket(), Key: stage.unique('parts') };
  return {
    ...at,
    UploadId: (await stage.s3.send(new CreateMultipartUploadCommand({ ChecksumAlgorithm: 'CRC32', ...at, ...more }))).UploadId,
  };
}

function part(stage: Stage, upload: Upload, more: object) {
  return stage.s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part', ...more }));
}
