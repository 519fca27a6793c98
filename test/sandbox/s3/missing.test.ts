/** What is not there is a 404 for who may list the bucket, and a 403 like any other for everybody else. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSIONED as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
const ARN = `arn:aws:s3:::${Bucket}`;
const ON_OBJECTS = { Effect: 'Allow', Action: 's3:*', Resource: `${ARN}/*` };
const LISTING = { Effect: 'Allow', Action: 's3:ListBucket', Resource: ARN };
const NO_VERSION = 'null';
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'deleted', Body: 'x' }));
  await sandbox.client.send(new DeleteObjectCommand({ Bucket, Key: 'deleted' }));
  await sandbox.client.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'x' }));
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

type Send = (client: S3Client, Key: string) => Promise<unknown>;
const READS: [string, Send][] = [
  ['GetObject', (client, Key) => client.send(new GetObjectCommand({ Bucket, Key }))],
  ['GetObjectAttributes', (client, Key) => client.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ETag'] }))],
  ['GetObjectTagging', (client, Key) => client.send(new GetObjectTaggingCommand({ Bucket, Key }))],
  [
    'CopyObject, of its source',
    (client, Key) => client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` })),
  ],
  ['PutObject, on an ETag', (client, Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', IfMatch: '"e"' }))],
  ['DeleteObject, on an ETag', (client, Key) => client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: '"e"' }))],
];

describe.each(['never', 'deleted'])('a key that was %s there', (Key) => {
  test.each(READS)('%s', async (_name, send) => {
    expect((await refusal(send(sandbox.asRole('lister', ON_OBJECTS, LISTING), Key))).answer).toBe('404 NoSuchKey');
    expect(await refusal(send(sandbox.asRole('reader', ON_OBJECTS), Key))).toMatchObject({
      answer: '403 AccessDenied',
      message: `User: arn:aws:sts::000000000000:assumed-role/reader/session is not authorized to perform: s3:ListBucket on resource: "${ARN}" because no identity-based policy allows the s3:ListBucket action`,
    });
  });

  test('HEAD, without a word and without a marker’s headers', async () => {
    const head = (client: S3Client) => refusal(client.send(new HeadObjectCommand({ Bucket, Key })));
    expect((await head(sandbox.asRole('lister', ON_OBJECTS, LISTING))).answer).toBe('404 NotFound');
    const { answer, detail } = await head(sandbox.asRole('reader', ON_OBJECTS));
    expect([answer.slice(0, 3), JSON.stringify(detail)]).toEqual(['403', expect.not.stringContaining('delete-marker')]);
  });
});

test('without the right to read it is the read that is refused, whether the object exists or not', async () => {
  const client = sandbox.asRole('lister only', LISTING);
  const messages = await Promise.all(
    ['there', 'never'].map(async (Key) => (await refusal(client.send(new GetObjectCommand({ Bucket, Key })))).message.replace(Key, '')),
  );
  expect(messages[0]).toBe(messages[1]);
  expect(messages[0]).toContain('s3:GetObject');
});

test('a version that is not there likewise', async () => {
  const get = (client: S3Client) => refusal(client.send(new GetObjectCommand({ Bucket, Key: 'there', VersionId: NO_VERSION })));
  expect((await get(sandbox.asRole('lister', ON_OBJECTS, LISTING))).answer).toBe('404 NoSuchVersion');
  expect((await get(sandbox.asRole('reader', ON_OBJECTS))).answer).toBe('403 AccessDenied');
});

test('who writes and deletes without conditions needs no listing', async () => {
  const client = sandbox.asRole('writer', ON_OBJECTS);
  await client.send(new PutObjectCommand({ Bucket, Key: 'fresh', Body: 'x', IfNoneMatch: '*' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'never' }));
});
