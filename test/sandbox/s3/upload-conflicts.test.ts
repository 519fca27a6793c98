/** What happens to a key between the beginning of an upload and its end. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, VERSIONED } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const at = { Bucket: VERSIONED, Key: 'since' };
const put = (Body: string, to = at) => sandbox.client.send(new PutObjectCommand({ ...to, Body }));
const remove = (extra: object = {}, from = at) => sandbox.client.send(new DeleteObjectCommand({ ...from, ...extra }));
const prepare = async (to = at) => {
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand(to));
  const { ETag } = await sandbox.client.send(new UploadPartCommand({ ...to, UploadId, PartNumber: 1, Body: 'whole' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const end = (extra: object) => sandbox.client.send(new CompleteMultipartUploadCommand({ ...to, UploadId, MultipartUpload, ...extra }));
  const abort = () => sandbox.client.send(new AbortMultipartUploadCommand({ ...to, UploadId }));
  return { end, abort };
};
const conflict = (Condition: string, { Key } = at) => ({
  answer: '409 ConditionalRequestConflict',
  detail: expect.objectContaining({ Condition, Key }),
});

describe('since an upload began', () => {
  test('a write is a conflict with If-Match, even one of the same bytes; before that the ETag counts', async () => {
    await put('other');
    const { end, abort } = await prepare();
    const { ETag } = await put('same');
    expect((await refusal(end({ IfMatch: '"0"' }))).answer).toBe('412 PreconditionFailed');
    expect(await refusal(end({ IfMatch: ETag }))).toMatchObject(conflict('If-Match'));
    expect((await put('same')).ETag).toBe(ETag);
    expect(await refusal(end({ IfMatch: ETag }))).toMatchObject(conflict('If-Match'));
    expect((await refusal(end({ IfNoneMatch: '*' }))).answer).toBe('412 PreconditionFailed');
    await abort();
    await (await prepare()).end({ IfMatch: ETag });
  });

  test.each([
    ['of an object', Bucket, true],
    ['of nothing', Bucket, false],
    ['that leaves a marker', VERSIONED, true],
    ['that leaves a marker on nothing', VERSIONED, false],
  ])('a delete %s is a conflict with If-None-Match', async (title, bucket, filled) => {
    const to = { Bucket: bucket, Key: title };
    if (filled) await put('before', to);
    const { end, abort } = await prepare(to);
    await remove({}, to);
    expect(await refusal(end({ IfNoneMatch: '*' }))).toMatchObject(conflict('If-None-Match', to));
    expect(await refusal(end({ IfNoneMatch: '*' }))).toMatchObject(conflict('If-None-Match', to));
    await abort();
    await (await prepare(to)).end({ IfNoneMatch: '*' });
  });

  test('so is one in a list of deletes, and one of what was written since', async () => {
    const to = { Bucket, Key: 'one of a list' };
    const { end } = await prepare(to);
    await put('since', to);
    await sandbox.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: to.Key }] } }));
    expect(await refusal(end({ IfNoneMatch: '*' }))).toMatchObject(conflict('If-None-Match', to));
  });

  test('a delete makes If-Match a 404, and the object that comes back a conflict', async () => {
    const { ETag } = await put('there');
    const { end } = await prepare();
    await remove();
    expect((await refusal(end({ IfMatch: ETag }))).answer).toBe('404 NoSuchKey');
    await put('there');
    expect(await refusal(end({ IfMatch: ETag }))).toMatchObject(conflict('If-Match'));
  });

  test('the delete of a version is none, and neither is what happened to other keys', async () => {
    const to = { ...at, Key: 'since, of a version' };
    const { VersionId } = await put('only', to);
    const { end } = await prepare(to);
    await remove({ VersionId }, to);
    await remove({}, { ...at, Key: 'since, of another' });
    await end({ IfNoneMatch: '*' });

    const { ETag } = await put('below', to);
    const second = await prepare(to);
    const above = await put('above', to);
    await remove({ VersionId: above.VersionId }, to);
    await second.end({ IfMatch: ETag });
  });
});

test('an object of parts is dated by the beginning of its upload', async () => {
  const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'dated' }));
  const { Uploads = [] } = await sandbox.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'dated' }));
  // A day ago, so that no clock has to be waited for.
  const began = Number(Uploads[0]?.Initiated) - 86_400_000;
  sandbox.state.db.prepare('UPDATE s3_upload SET initiated = ? WHERE upload = ?').run(began, String(UploadId));
  const { ETag } = await sandbox.client.send(new UploadPartCommand({ Bucket, Key: 'dated', UploadId, PartNumber: 1, Body: 'x' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'dated', UploadId, MultipartUpload }));
  const { Contents = [] } = await sandbox.client.send(new ListObjectsV2Command({ Bucket, Prefix: 'dated' }));
  expect(Contents[0]?.LastModified?.getTime()).toBe(began);
  const { LastModified } = await sandbox.client.send(new HeadObjectCommand({ Bucket, Key: 'dated' }));
  expect(LastModified?.getTime()).toBe(Math.floor(began / 1000) * 1000);
});
