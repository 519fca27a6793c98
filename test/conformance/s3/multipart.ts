/** Multipart uploads. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Difference, has, holds, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { customerKey, head, put, read, text } from './objects.ts';

const COMPLETE = ['s3-api', 'API_CompleteMultipartUpload'] as const;
const CREATE = ['s3-api', 'API_CreateMultipartUpload'] as const;
const PART = ['s3-api', 'API_UploadPart'] as const;
const CONDITIONS = ['s3-guide', 'conditional-writes'] as const;
const CLOCK_PAUSE_MS = 100;
/** The smallest that a part may be, but for the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGE = Buffer.alloc(5 * 1024 * 1024, 'the same in every run ');
const SMALL = Buffer.from('the end');

export const MULTIPART: Expectation[] = [
  expectation('s3.multipart.assembles', 'parts become one object, whose ETag names their count', COMPLETE, async (stage) => {
    const upload = await begin(stage);
    const done = await finish(stage, upload, [await part(stage, upload, 1, LARGE), await part(stage, upload, 3, SMALL)]);
    matches('the ETag', done.ETag, /^"[0-9a-f]{32}-2"$/);
    same('the bytes are equal', (await read(stage, upload.at)).equals(Buffer.concat([LARGE, SMALL])), true);
    same('the length of the second part', (await read(stage, upload.at, { PartNumber: 2 })).length, SMALL.length);
    same('the count of parts', (await head(stage, upload.at, { PartNumber: 1 })).PartsCount, 2);
  }),
  expectation('s3.multipart.described', 'metadata and tags are those of the upload’s beginning', CREATE, async (stage) => {
    const upload = await begin(stage, { ContentType: 'text/plain', Metadata: { owner: 'pat' }, Tagging: 'class=internal' });
    await finish(stage, upload, [await part(stage, upload, 1, SMALL)]);
    has('the object', await head(stage, upload.at), { ContentType: 'text/plain', Metadata: { owner: 'pat' } });
    const { TagSet } = await stage.s3.send(new GetObjectTaggingCommand(upload.at));
    same('its tags', TagSet, [{ Key: 'class', Value: 'internal' }]);
  }),
  ...(['aws:kms', 'aws:kms:dsse'] as const).map((ServerSideEncryption) =>
    expectation(
      `s3.multipart.${ServerSideEncryption.slice(4).replace(':', '-')}`,
      `each answer of an upload under ${ServerSideEncryption} says so`,
      CREATE,
      async (stage) => {
        const said = { ServerSideEncryption, SSEKMSKeyId: await stage.keyArn() };
        const upload = await begin(stage, said);
        has('the beginning', upload.answer, said);
        const uploaded = await stage.s3.send(new UploadPartCommand({ ...upload.at, UploadId: upload.id, PartNumber: 1, Body: SMALL }));
        has('a part', uploaded, said);
        has('the end', await finish(stage, upload, [{ PartNumber: 1, ETag: uploaded.ETag, ChecksumCRC32: uploaded.ChecksumCRC32 }]), said);
        has('HEAD', await head(stage, upload.at), said);
        same('what is read', await text(stage, upload.at), 'the end');
      },
    ),
  ),
  expectation('s3.multipart.sse-c', 'an upload under a customer key is read with that key alone', CREATE, async (stage) => {
    const key = customerKey();
    const upload = await begin(stage, key);
    await finish(stage, upload, [await part(stage, upload, 1, LARGE, key), await part(stage, upload, 2, SMALL, key)], key);
    same('across the border', await text(stage, upload.at, { Range: `bytes=${LARGE.length}-`, ...key }), 'the end');
    await refused(read(stage, upload.at), '400 InvalidRequest');
    await refused(read(stage, upload.at, customerKey()), '403 AccessDenied');
  }),
  expectation(
    's3.multipart.too-small',
    'a part below 5 MiB that is not the last is refused with EntityTooSmall',
    COMPLETE,
    async (stage) => {
      const upload = await begin(stage);
      const parts = [await part(stage, upload, 1, LARGE.subarray(1)), await part(stage, upload, 2, SMALL)];
      await refused(finish(stage, upload, parts), '400 EntityTooSmall');
    },
  ),
  expectation('s3.multipart.order', 'parts out of order are refused with InvalidPartOrder', COMPLETE, async (stage) => {
    const upload = await begin(stage);
    const parts = [await part(stage, upload, 1, LARGE), await part(stage, upload, 2, SMALL)];
    await refused(finish(stage, upload, parts.reverse()), '400 InvalidPartOrder');
  }),
  expectation(
    's3.multipart.unknown-part',
    'a part that is not there, or not that one, is refused with InvalidPart',
    COMPLETE,
    async (stage) => {
      const upload = await begin(stage);
      const first = await part(stage, upload, 1, SMALL);
      await refused(finish(stage, upload, [{ ...first, PartNumber: 2 }]), '400 InvalidPart');
      await refused(finish(stage, upload, [{ ...first, ETag: '"0123456789abcdef0123456789abcdef"' }]), '400 InvalidPart');
    },
  ),
  expectation('s3.multipart.part-number', 'part numbers go from 1 to 10,000', PART, async (stage) => {
    const upload = await begin(stage);
    await part(stage, upload, 10_000, SMALL);
    await refused(part(stage, upload, 10_001, SMALL), '400 InvalidArgument');
  }),
  expectation('s3.multipart.aborted', 'an aborted upload is gone: NoSuchUpload', ['s3-api', 'API_AbortMultipartUpload'], async (stage) => {
    const upload = await begin(stage);
    const first = await part(stage, upload, 1, SMALL);
    await stage.s3.send(new AbortMultipartUploadCommand({ ...upload.at, UploadId: upload.id }));
    await refused(part(stage, upload, 2, SMALL), '404 NoSuchUpload');
    await refused(finish(stage, upload, [first]), '404 NoSuchUpload');
  }),
  expectation('s3.multipart.listed', 'uploads and parts are listed', ['s3-api', 'API_ListParts'], async (stage) => {
    const upload = await begin(stage);
    await part(stage, upload, 2, SMALL);
    const { Uploads } = await stage.s3.send(new ListMultipartUploadsCommand({ Bucket: upload.at.Bucket, Prefix: upload.at.Key }));
    same(
      'the uploads',
      Uploads?.map(({ Key, UploadId }) => [Key, UploadId]),
      [[upload.at.Key, upload.id]],
    );
    const { Parts } = await stage.s3.send(new ListPartsCommand({ ...upload.at, UploadId: upload.id }));
    same(
      'the parts',
      Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [[2, SMALL.length]],
    );
  }),
  expectation('s3.multipart.if-none-match', 'IfNoneMatch: * completes only where nothing is', COMPLETE, async (stage) => {
    const { at } = await put(stage);
    const upload = await begin(stage, { Key: at.Key });
    await refused(finish(stage, upload, [await part(stage, upload, 1, SMALL)], { IfNoneMatch: '*' }), '412 PreconditionFailed');
    same('what stays', await text(stage, at), 'content');
  }),
  expectation('s3.multipart.if-match', 'IfMatch completes over that object and no other, and not over nothing', COMPLETE, async (stage) => {
    const { at, answer } = await put(stage, { Body: 'old' });
    const upload = await begin(stage, { Key: at.Key });
    const parts = [await part(stage, upload, 1, SMALL)];
    await refused(finish(stage, upload, parts, { IfMatch: '"0123456789abcdef0123456789abcdef"' }), '412 PreconditionFailed');
    same('after the refusal', await text(stage, at), 'old');
    const second = await begin(stage, { Key: at.Key });
    await finish(stage, second, [await part(stage, second, 1, SMALL)], { IfMatch: answer.ETag });
    same('after the end', await text(stage, at), 'the end');
    const nowhere = await begin(stage);
    await refused(finish(stage, nowhere, [await part(stage, nowhere, 1, SMALL)], { IfMatch: answer.ETag }), '404 NoSuchKey');
  }),
  expectation(
    's3.multipart.if-match-since',
    'IfMatch over what was written since the beginning is a conflict, also where that has the same ETag: the upload must begin anew',
    CONDITIONS,
    async (stage) => {
      const { at, answer } = await put(stage);
      const upload = await begin(stage, { Key: at.Key });
      const parts = [await part(stage, upload, 1, SMALL)];
      await put(stage, { Key: at.Key });
      await refused(finish(stage, upload, parts, { IfMatch: answer.ETag }), '409 ConditionalRequestConflict');
      same('what stays', await text(stage, at), 'content');
      const anew = await begin(stage, { Key: at.Key });
      await finish(stage, anew, [await part(stage, anew, 1, SMALL)], { IfMatch: answer.ETag });
      same('after the end', await text(stage, at), 'the end');
    },
  ),
  expectation(
    's3.multipart.if-none-match-since',
    'IfNoneMatch: * after a delete since the beginning is a conflict: the upload must begin anew',
    CONDITIONS,
    async (stage) => {
      const { at } = await put(stage);
      const upload = await begin(stage, { Key: at.Key });
      const parts = [await part(stage, upload, 1, SMALL)];
      await stage.s3.send(new DeleteObjectCommand(at));
      await refused(finish(stage, upload, parts, { IfNoneMatch: '*' }), '409 ConditionalRequestConflict');
      await refused(head(stage, at), '404');
      const anew = await begin(stage, { Key: at.Key });
      await finish(stage, anew, [await part(stage, anew, 1, SMALL)], { IfNoneMatch: '*' });
      same('after the end', await text(stage, at), 'the end');
    },
  ),
  expectation('s3.multipart.dated', 'the object is dated by when its upload began', ['s3-guide', 'UsingMetadata'], async (stage) => {
    const upload = await begin(stage);
    const parts = [await part(stage, upload, 1, SMALL)];
    const { Uploads } = await stage.s3.send(new ListMultipartUploadsCommand({ Bucket: upload.at.Bucket, Prefix: upload.at.Key }));
    const later = await putLater(stage, Uploads?.[0]?.Initiated);
    await finish(stage, upload, parts);
    const dated = (await head(stage, upload.at)).LastModified;
    holds('it is older than what was put before its end', dated !== undefined && dated < later);
  }),
  expectation('s3.multipart.object-size', 'another size than is claimed is refused, and nothing is there', COMPLETE, async (stage) => {
    const upload = await begin(stage);
    const parts = [await part(stage, upload, 1, SMALL)];
    await refused(finish(stage, upload, parts, { MpuObjectSize: SMALL.length + 1 }), '400 InvalidRequest');
    await refused(head(stage, upload.at), '404');
  }),
  expectation(
    's3.multipart.wrong-checksum',
    'another checksum of the whole than is claimed is refused with BadDigest, and nothing is there',
    COMPLETE,
    async (stage) => {
      const upload = await begin(stage, { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' });
      const parts = [await part(stage, upload, 1, SMALL, { ChecksumAlgorithm: 'CRC64NVME' })];
      await refused(finish(stage, upload, parts, { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }), '400 BadDigest');
      await refused(head(stage, upload.at), '404');
    },
  ),
  expectation(
    's3.multipart.full-object-checksum',
    'a CRC64NVME of the whole is that of a single put',
    ['s3-guide', 'checking-object-integrity-upload'],
    async (stage) => {
      const single = await put(stage, { Body: Buffer.concat([LARGE, SMALL]), ChecksumAlgorithm: 'CRC64NVME' });
      const upload = await begin(stage, { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' });
      const more = { ChecksumAlgorithm: 'CRC64NVME' };
      const done = await finish(stage, upload, [await part(stage, upload, 1, LARGE, more), await part(stage, upload, 2, SMALL, more)]);
      same('the checksum', done.ChecksumCRC64NVME, single.answer.ChecksumCRC64NVME);
      same('its type', done.ChecksumType, 'FULL_OBJECT');
    },
  ),
  expectation(
    's3.multipart.composite-checksum',
    'a SHA-256 of an upload is a checksum of checksums',
    ['s3-guide', 'checking-object-integrity-upload'],
    async (stage) => {
      const upload = await begin(stage, { ChecksumAlgorithm: 'SHA256' });
      const more = { ChecksumAlgorithm: 'SHA256' };
      const done = await finish(stage, upload, [await part(stage, upload, 1, LARGE, more), await part(stage, upload, 2, SMALL, more)]);
      matches('the checksum', done.ChecksumSHA256, /^[A-Za-z0-9+/]{43}=-2$/);
    },
  ),
];

type Upload = Awaited<ReturnType<typeof begin>>;

/** The SDK gives every part a CRC32, so the upload says so from its beginning. */
async function begin(stage: Stage, more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const at = { Bucket: await stage.bucket(), Key: more.Key ?? stage.unique('parts') };
  const answer = await stage.s3.send(new CreateMultipartUploadCommand({ ChecksumAlgorithm: 'CRC32', ...more, ...at }));
  return { at, answer, id: answer.UploadId };
}

async function part(stage: Stage, { at, id }: Upload, PartNumber: number, Body: Buffer, more: object = {}): Promise<CompletedPart> {
  const answer = await stage.s3.send(new UploadPartCommand({ ...at, UploadId: id, PartNumber, Body, ...more }));
  const { ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 } = answer;
  return {
    PartNumber,
    ETag,
    ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }),
    ...(ChecksumCRC64NVME !== undefined && { ChecksumCRC64NVME }),
    ...(ChecksumSHA256 !== undefined && { ChecksumSHA256 }),
  };
}

function finish(stage: Stage, { at, id }: Upload, Parts: CompletedPart[], more: object = {}) {
  return stage.s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId: id, MultipartUpload: { Parts }, ...more }));
}

/** HEAD shows whole seconds: puts until the server's clock shows a later one. */
async function putLater(stage: Stage, since: Date | undefined): Promise<Date> {
  const second = Math.floor(Number(since) / 1000);
  const Key = stage.unique('clock');
  for (;;) {
    const { LastModified } = await head(stage, (await put(stage, { Key })).at);
    if (LastModified === undefined || Number.isNaN(second)) throw new Difference('the upload or the object has no date');
    if (LastModified.getTime() >= (second + 1) * 1000) return LastModified;
    await delay(CLOCK_PAUSE_MS);
  }
}
