import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET as Bucket, openSandbox, refusal, type Sandbox, sample, VERSIONED } from './sandbox.ts';

const MIN = 1000;
const MAX_PARTS = 5;
const Key = 'assembled';
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox({ limits: { minPartBytes: MIN, maxParts: MAX_PARTS } });
});
afterAll(async () => {
  expect(sandbox.defects).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

const begin = async (extra: object = {}) =>
  (await sandbox.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...extra }))).UploadId;
const part = async (UploadId: string | undefined, PartNumber: number, Body: Buffer | string): Promise<CompletedPart> => {
  const { ETag } = await sandbox.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return { PartNumber, ETag };
};
const complete = (UploadId: string | undefined, Parts: CompletedPart[], extra: object = {}) =>
  sandbox.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...extra }));
const read = async (extra: object = {}) => {
  const { Body, ...rest } = await sandbox.client.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), ...rest };
};

test('assembles the chosen parts in order, with the description of the upload', async () => {
  const bodies = [sample(MIN, 1), sample(MIN + 1, 2), sample(1, 3)];
  const id = await begin({ ContentType: 'text/plain', Metadata: { n: '1' }, Tagging: 'a=1', StorageClass: 'STANDARD_IA' });
  const Parts = [];
  for (const [index, body] of [...bodies.entries()].reverse()) Parts.unshift(await part(id, index + 1, body));
  await part(id, 5, 'left out');
  const done = await complete(id, Parts);
  const md5s = Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest()));
  expect(done).toMatchObject({ Bucket, Key, ETag: `"${createHash('md5').update(md5s).digest('hex')}-3"` });
  const got = await read();
  expect(got.bytes.equals(Buffer.concat(bodies))).toBe(true);
  expect(got).toMatchObject({ ContentType: 'text/plain', Metadata: { n: '1' }, TagCount: 1, StorageClass: 'STANDARD_IA', ETag: done.ETag });
});

test('a part can be uploaded again; the last one counts', async () => {
  const id = await begin();
  const first = await part(id, 1, 'first');
  const second = await part(id, 1, 'second');
  expect((await refusal(complete(id, [first]))).answer).toBe('400 InvalidPart');
  await complete(id, [second]);
  expect((await read()).bytes.toString()).toBe('second');
});

test('every part but the last has the least size', async () => {
  const id = await begin();
  const [small, least, last] = [await part(id, 1, sample(MIN - 1)), await part(id, 2, sample(MIN)), await part(id, 3, 'x')];
  const { answer, detail } = await refusal(complete(id, [small, last]));
  expect([answer, detail.MinSizeAllowed, detail.ProposedSize]).toEqual(['400 EntityTooSmall', String(MIN), String(MIN - 1)]);
  await complete(id, [least, last]);
  expect((await read()).bytes).toHaveLength(MIN + 1);
});

test('part numbers go from 1 to the largest', async () => {
  const id = await begin();
  expect((await refusal(part(id, 0, 'x'))).answer).toBe('400 InvalidArgument');
  expect((await refusal(part(id, MAX_PARTS + 1, 'x'))).answer).toBe('400 InvalidArgument');
  const last = await part(id, MAX_PARTS, 'x');
  await complete(id, [last]);
});

describe('completing', () => {
  test('needs parts in ascending order, that exist', async () => {
    const id = await begin();
    const [one, two] = [await part(id, 1, sample(MIN)), await part(id, 2, 'x')];
    expect((await refusal(complete(id, [two, one]))).answer).toBe('400 InvalidPartOrder');
    expect((await refusal(complete(id, [one, one]))).answer).toBe('400 InvalidPartOrder');
    expect((await refusal(complete(id, [one, { PartNumber: 3, ETag: one.ETag }]))).answer).toBe('400 InvalidPart');
    expect((await refusal(complete(id, []))).answer).toBe('400 MalformedXML');
    await complete(id, [one, two]);
  });

  test('takes If-None-Match and If-Match on the destination', async () => {
    const once = async (extra: object) => {
      const id = await begin();
      return complete(id, [await part(id, 1, 'x')], extra);
    };
    const { ETag } = await once({});
    expect((await refusal(once({ IfNoneMatch: '*' }))).answer).toBe('412 PreconditionFailed');
    expect((await refusal(once({ IfMatch: '"0"' }))).answer).toBe('412 PreconditionFailed');
    await once({ IfMatch: ETag });
  });

  describe('again', () => {
    const at = { Bucket: VERSIONED, Key: 'again' };
    const versions = async () => {
      const { Versions = [] } = await sandbox.client.send(new ListObjectVersionsCommand({ Bucket: VERSIONED, Prefix: at.Key }));
      return Versions.length;
    };
    const prepare = async (Body: string) => {
      const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand(at));
      const { ETag } = await sandbox.client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      return (extra: object = {}) =>
        sandbox.client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, ...extra }));
    };

    test('is answered again, whatever its condition, and makes nothing', async () => {
      const done = await prepare('one');
      const first = await done();
      const before = await versions();
      const again = await done({ IfNoneMatch: '*' });
      expect({ ...again, $metadata: null }).toEqual({ ...first, $metadata: null });
      expect([first.VersionId, await versions()]).toEqual([expect.any(String), before]);
      expect((await refusal(done({ MultipartUpload: { Parts: [{ PartNumber: 2, ETag: first.ETag }] } }))).answer).toBe('404 NoSuchUpload');
      await sandbox.client.send(new DeleteObjectCommand({ ...at, VersionId: first.VersionId }));
      expect((await refusal(done())).answer).toBe('404 NoSuchUpload');
    });

    test('and at once, one makes the object and all are answered alike', async () => {
      const done = await prepare('two');
      const before = await versions();
      const answers = await Promise.all(Array.from({ length: 10 }, () => done()));
      expect([new Set(answers.map(({ VersionId }) => VersionId)).size, await versions()]).toEqual([1, before + 1]);
    });
  });

  test('If-None-Match lets one of several uploads through, and If-Match none that began before it', async () => {
    const at = { Bucket, Key: 'raced' };
    const uploads = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand(at));
        const { ETag } = await sandbox.client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: `${index}` }));
        return { UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
      }),
    );
    const race = async (condition: object) => {
      const sent = uploads.map((upload) => sandbox.client.send(new CompleteMultipartUploadCommand({ ...at, ...upload, ...condition })));
      const settled = await Promise.allSettled(sent);
      return settled.map((result, index) => (result.status === 'fulfilled' ? index : result.reason.Condition));
    };
    const first = await race({ IfNoneMatch: '*' });
    const winner = first.find((result) => typeof result === 'number');
    expect(first.filter((result) => result === 'If-None-Match')).toHaveLength(4);
    const { ETag } = await sandbox.client.send(new HeadObjectCommand(at));
    uploads.splice(Number(winner), 1);
    const second = await race({ IfMatch: ETag });
    expect(second).toEqual(Array(4).fill('If-Match'));
  });

  test('If-Match on what is not there is a 404, and leaves the upload', async () => {
    const at = { Bucket, Key: 'not there' };
    const { UploadId } = await sandbox.client.send(new CreateMultipartUploadCommand(at));
    const { ETag } = await sandbox.client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'x' }));
    const done = (extra: object) =>
      sandbox.client.send(
        new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] }, ...extra }),
      );
    expect((await refusal(done({ IfMatch: ETag }))).answer).toBe('404 NoSuchKey');
    await done({ IfNoneMatch: '*' });
  });

  test('a refused one can be repeated', async () => {
    const id = await begin();
    const only = await part(id, 1, 'kept');
    expect((await refusal(complete(id, [only], { IfMatch: '"0"' }))).answer).toBe('412 PreconditionFailed');
    await complete(id, [only]);
    expect((await read()).bytes.toString()).toBe('kept');
  });

  test('checks the size that is claimed', async () => {
    const id = await begin();
    const only = await part(id, 1, '1234');
    const { message } = await refusal(complete(id, [only], { MpuObjectSize: 5 }));
    expect(message).toBe("The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 4");
    await complete(id, [only], { MpuObjectSize: 4 });
  });
});

test('an aborted upload is gone, with its files', async () => {
  const id = await begin();
  await part(id, 1, sample(500_000));
  const files = () => sandbox.state.db.prepare('SELECT count(*) AS n FROM s3_segment').get()?.n;
  const before = Number(files());
  await sandbox.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id }));
  expect(files()).toBe(before - 1);
  const abort = sandbox.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id }));
  expect((await refusal(abort)).answer).toBe('404 NoSuchUpload');
  expect((await refusal(part(id, 2, 'x'))).answer).toBe('404 NoSuchUpload');
});

test('lists parts page by page', async () => {
  const id = await begin();
  for (const number of [1, 2, 4]) await part(id, number, sample(number));
  const page = (extra: object) => sandbox.client.send(new ListPartsCommand({ Bucket, Key, UploadId: id, ...extra }));
  const first = await page({ MaxParts: 2 });
  expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', MaxParts: 2, StorageClass: 'STANDARD' });
  const second = await page({ MaxParts: 2, PartNumberMarker: first.NextPartNumberMarker });
  expect([second.IsTruncated, second.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])]).toEqual([false, [[4, 4]]]);
});

test('reads one part by its number', async () => {
  const id = await begin();
  const bodies = [sample(MIN, 4), sample(10, 5)];
  await complete(id, [await part(id, 1, bodies[0] ?? ''), await part(id, 3, bodies[1] ?? '')]);
  const got = await read({ PartNumber: 2 });
  expect(got.bytes.equals(bodies[1] ?? Buffer.alloc(0))).toBe(true);
  expect([got.ContentRange, got.PartsCount]).toEqual([`bytes ${MIN}-${MIN + 9}/${MIN + 10}`, 2]);
  expect((await sandbox.client.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 1 }))).ContentLength).toBe(MIN);
  expect((await refusal(read({ PartNumber: 3 }))).answer).toBe('416 InvalidPartNumber');
  expect((await refusal(read({ PartNumber: 1, Range: 'bytes=0-1' }))).answer).toBe('400 InvalidRequest');
  const attributes = await sandbox.client.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ['ObjectParts'] }));
  expect(attributes.ObjectParts?.TotalPartsCount).toBe(2);
});
