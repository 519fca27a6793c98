/** Each operation with exactly the permissions that AWS's page lists for it: all of them suffice, and none of them can be missing. */
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATIONS } from '../../../sandbox/s3/operations.ts';
import { BUCKET_ROWS } from './permissions-of-buckets.ts';
import { OBJECT_ROWS } from './permissions-of-objects.ts';
import { BUCKET_ARN, Key, OBJECT_ARN, type Permission, type Prepared } from './permissions-row.ts';
import { VERSIONED as Bucket, openSandbox, refusal, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
const ROLE = 'arn:aws:sts::000000000000:assumed-role/tested/session';

beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

async function prepare(): Promise<Prepared> {
  const { VersionId = '', ETag = '' } = await sandbox.client.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'body' }));
  const { UploadId = '' } = await sandbox.client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }));
  const part = await sandbox.client.send(new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
  return { administrator: sandbox.client, VersionId, ETag, UploadId, PartETag: part.ETag ?? '' };
}

const allow = ([action, resource]: Permission) => ({ Effect: 'Allow', Action: action, Resource: resource });

test.each([...BUCKET_ROWS, ...OBJECT_ROWS])('%s needs exactly %j', async (name, permissions, send) => {
  const prepared = await prepare();
  for (const missing of permissions) {
    const others = permissions.filter((permission) => permission !== missing);
    const [action, resource] = missing;
    const refused = await refusal(send(sandbox.asRole('tested', ...others.map(allow)), prepared)).catch((error) => {
      throw new Error(`not refused without ${action}`, { cause: error });
    });
    const where = resource === '*' ? '' : ` on resource: "${resource}"`;
    const message = `User: ${ROLE} is not authorized to perform: ${action}${where} because no identity-based policy allows the ${action} action`;
    // HEAD has no body to say it in.
    expect([refused.answer.slice(0, 3), refused.message]).toEqual([
      '403',
      name.startsWith('Head') ? expect.not.stringContaining('User') : message,
    ]);
  }
  await send(sandbox.asRole('tested', ...permissions.map(allow)), prepared);
});

test('no operation is left out', () => {
  const tested = new Set([...BUCKET_ROWS, ...OBJECT_ROWS].map(([name]) => name.split(' ')[0]));
  expect(Object.keys(OPERATIONS).filter((name) => !tested.has(name))).toEqual(['DeleteObjects']);
});

describe('DeleteObjects', () => {
  const remove = (client: s3.S3Client, Objects: s3.ObjectIdentifier[]) =>
    client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));

  test('judges each object for itself, and refuses in the answer', async () => {
    const { VersionId, ETag } = await prepare();
    const client = sandbox.asRole('tested', ...[allow(['s3:DeleteObject', `${BUCKET_ARN}/folder/*`])]);
    const { Deleted, Errors } = await remove(client, [{ Key: 'other' }, { Key, VersionId }, { Key, ETag }, { Key }]);
    expect(Errors?.map(({ Key: key, VersionId: version, Code, Message }) => [key, version, Code, Message])).toEqual([
      ['other', undefined, 'AccessDenied', expect.stringContaining(`s3:DeleteObject on resource: "${BUCKET_ARN}/other"`)],
      [Key, VersionId, 'AccessDenied', expect.stringContaining(`s3:DeleteObjectVersion on resource: "${OBJECT_ARN}"`)],
      [Key, undefined, 'AccessDenied', expect.stringContaining(`s3:GetObject on resource: "${OBJECT_ARN}"`)],
    ]);
    expect(Deleted?.map(({ Key: key }) => key)).toEqual([Key]);
  });

  test('takes versions with their own right', async () => {
    const { VersionId } = await prepare();
    const { Errors, Deleted } = await remove(sandbox.asRole('tested', allow(['s3:DeleteObjectVersion', OBJECT_ARN])), [{ Key, VersionId }]);
    expect([Errors, Deleted?.length]).toEqual([undefined, 1]);
  });
});

describe('what an answer tells', () => {
  test.each([
    ['s3:GetObjectTagging', false],
    ['s3:GetObjectVersionTagging', true],
  ])('the number of tags is for who has %s too', async (action, byVersion) => {
    const { VersionId } = await sandbox.client.send(new s3.PutObjectCommand({ Bucket, Key: 'tagged', Body: 'x', Tagging: 'a=b' }));
    const read = { Bucket, Key: 'tagged', ...(byVersion && { VersionId }) };
    const tags = async (...actions: string[]) => {
      const client = sandbox.asRole('tested', ...['s3:GetObject', 's3:GetObjectVersion', ...actions].map((one) => allow([one, '*'])));
      const got = await client.send(new s3.GetObjectCommand(read));
      await got.Body?.transformToString();
      return [got.TagCount, (await client.send(new s3.HeadObjectCommand(read))).TagCount];
    };
    expect(await tags()).toEqual([undefined, undefined]);
    expect(await tags(action)).toEqual([1, 1]);
  });

  test('the retention is for who has s3:GetObjectRetention too', async () => {
    const locked = { Bucket: 'retained', Key };
    sandbox.s3.createBucket('retained', { objectLock: true });
    sandbox.s3.putObjectLock('retained', { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } });
    await sandbox.client.send(new s3.PutObjectCommand({ ...locked, Body: 'x' }));
    const lock = async (...actions: string[]) => {
      const client = sandbox.asRole('tested', ...['s3:GetObject', ...actions].map((one) => allow([one, '*'])));
      const { ObjectLockMode, ObjectLockRetainUntilDate } = await client.send(new s3.HeadObjectCommand(locked));
      return [ObjectLockMode, typeof ObjectLockRetainUntilDate];
    };
    expect(await lock()).toEqual([undefined, 'undefined']);
    expect(await lock('s3:GetObjectRetention')).toEqual(['GOVERNANCE', 'object']);
  });
});

test('a role that is gone may do nothing', async () => {
  const client = sandbox.asRole('gone', allow(['s3:*', '*']));
  await client.send(new s3.ListObjectsV2Command({ Bucket }));
  sandbox.access.deleteRole('gone');
  expect((await refusal(client.send(new s3.ListObjectsV2Command({ Bucket })))).answer).toBe('403 AccessDenied');
});

test('a bucket that is not there is a 404 for whoever asks', async () => {
  const client = sandbox.asRole('tested');
  for (const send of [
    () => client.send(new s3.GetObjectCommand({ Bucket: 'nowhere', Key })),
    () => client.send(new s3.PutObjectCommand({ Bucket: 'nowhere', Key, Body: 'x' })),
    () => client.send(new s3.DeleteObjectsCommand({ Bucket: 'nowhere', Delete: { Objects: [{ Key }] } })),
  ]) {
    expect((await refusal(send())).answer).toBe('404 NoSuchBucket');
  }
});
