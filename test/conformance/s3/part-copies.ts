/** UploadPartCopy: parts that are (ranges of) another object. */
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  ListPartsCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3';
import { has, matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { type At, customerKey, head, put, read, sourceKey, text } from './objects.ts';

const PAGE = ['s3-api', 'API_UploadPartCopy'] as const;
/** Ranges are copied of sources above 5 MB alone: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
const BODY = Buffer.alloc(5 * 1024 * 1024 + 7, 'the same in every run ');
const FIRST = { CopySourceRange: `bytes=0-${BODY.length - 8}` };
const LAST = { CopySourceRange: `bytes=${BODY.length - 7}-${BODY.length - 1}` };
const OTHER = '"0123456789abcdef0123456789abcdef"';

export const PART_COPIES: Expectation[] = [
  expectation('s3.part-copy.assembles', 'ranges of a source become an object of the same bytes', PAGE, async (stage) => {
    const { at, answer } = await put(stage, { Body: BODY });
    const upload = await begin(stage);
    const parts = [await part(stage, upload, 1, at, { ...FIRST, CopySourceIfMatch: answer.ETag }), await part(stage, upload, 2, at, LAST)];
    const done = await finish(stage, upload, parts);
    matches('the ETag', done.ETag, /^"[0-9a-f]{32}-2"$/);
    same('the bytes are equal', (await read(stage, upload.at)).equals(BODY), true);
  }),
  expectation('s3.part-copy.whole', 'without a range the whole source becomes the part', PAGE, async (stage) => {
    const { at } = await put(stage, { Body: 'whole' });
    const upload = await begin(stage);
    await finish(stage, upload, [await part(stage, upload, 1, at)]);
    same('what is read', await text(stage, upload.at), 'whole');
  }),
  ...(['aws:kms', 'aws:kms:dsse'] as const).map((ServerSideEncryption) =>
    expectation(
      `s3.part-copy.${ServerSideEncryption.slice(4).replace(':', '-')}`,
      `a part of an upload under ${ServerSideEncryption} says so`,
      PAGE,
      async (stage) => {
        const { at } = await put(stage, { Body: 'whole' });
        const said = { ServerSideEncryption, SSEKMSKeyId: await stage.keyArn() };
        const upload = await begin(stage, said);
        has('the part', await copyPart(stage, upload, 1, at), said);
      },
    ),
  ),
  expectation('s3.part-copy.sse-c', 'source and upload have customer keys of their own, which every part takes', PAGE, async (stage) => {
    const [from, to] = [customerKey(), customerKey()];
    const { at } = await put(stage, { Body: BODY, ...from });
    const upload = await begin(stage, to);
    const keys = { ...to, ...sourceKey(from) };
    const copied = await copyPart(stage, upload, 1, at, { ...FIRST, ...keys });
    has('the part', copied, { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: to.SSECustomerKeyMD5 });
    await refused(part(stage, upload, 2, at, { ...LAST, ...to }), '400 InvalidRequest');
    await refused(part(stage, upload, 2, at, { ...LAST, ...to, ...sourceKey(customerKey()) }), '403 AccessDenied');
    await refused(part(stage, upload, 2, at, { ...LAST, ...sourceKey(from) }), '400 InvalidRequest');
    await refused(part(stage, upload, 2, at, { ...LAST, ...customerKey(), ...sourceKey(from) }), '400 InvalidRequest');
    const parts = [{ PartNumber: 1, ETag: copied.CopyPartResult?.ETag }, await part(stage, upload, 2, at, { ...LAST, ...keys })];
    await finish(stage, upload, parts, to);
    same('the bytes are equal', (await read(stage, upload.at, to)).equals(BODY), true);
    await refused(read(stage, upload.at), '400 InvalidRequest');
  }),
  expectation(
    's3.part-copy.checksum',
    'a part has the upload’s checksum, and the whole that of the source',
    ['s3-guide', 'checking-object-integrity-upload'],
    async (stage) => {
      const source = await put(stage, { Body: BODY, ChecksumAlgorithm: 'CRC64NVME' });
      const { ChecksumCRC64NVME = '' } = source.answer;
      const upload = await begin(stage, { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' });
      const parts = [await part(stage, upload, 1, source.at, FIRST), await part(stage, upload, 2, source.at, LAST)];
      matches('the checksum of a part', parts[0]?.ChecksumCRC64NVME, /^[A-Za-z0-9+/]{11}=$/);
      const { Parts } = await stage.s3.send(new ListPartsCommand({ ...upload.at, UploadId: upload.id }));
      same(
        'the listed checksums',
        Parts?.map((listed) => listed.ChecksumCRC64NVME),
        parts.map((copied) => copied.ChecksumCRC64NVME),
      );
      const claim = { ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT', MpuObjectSize: BODY.length };
      has('the end', await finish(stage, upload, parts, claim), { ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT' });
      has('HEAD', await head(stage, upload.at, { ChecksumMode: 'ENABLED' }), { ChecksumCRC64NVME, ChecksumType: 'FULL_OBJECT' });
    },
  ),
  expectation('s3.part-copy.if-match', 'CopySourceIfMatch lets a part be of that source alone', PAGE, async (stage) => {
    const { at } = await put(stage);
    const upload = await begin(stage);
    await refused(part(stage, upload, 1, at, { CopySourceIfMatch: OTHER }), '412 PreconditionFailed');
  }),
  expectation('s3.part-copy.range', 'a range that is not inside the source, or none, is refused', PAGE, async (stage) => {
    const { at } = await put(stage, { Body: BODY });
    const upload = await begin(stage);
    const ranged = (first: number, last: number | '') => part(stage, upload, 1, at, { CopySourceRange: `bytes=${first}-${last}` });
    await ranged(0, BODY.length - 1);
    await refused(ranged(0, BODY.length), '400 InvalidArgument');
    await refused(ranged(9, 8), '400 InvalidArgument');
    await refused(ranged(9, ''), '400 InvalidArgument');
  }),
  expectation('s3.part-copy.version', 'a part names a version of its source, and the answer says which it was', PAGE, async (stage) => {
    const one = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'one' });
    await put(stage, { ...one.at, Body: 'two' });
    const upload = await begin(stage);
    const CopySource = `${one.at.Bucket}/${one.at.Key}?versionId=${one.answer.VersionId}`;
    const copied = await copyPart(stage, upload, 1, one.at, { CopySource });
    same('CopySourceVersionId', copied.CopySourceVersionId, one.answer.VersionId);
    await finish(stage, upload, [{ PartNumber: 1, ETag: copied.CopyPartResult?.ETag }]);
    same('what is read', await text(stage, upload.at), 'one');
  }),
  expectation('s3.part-copy.missing', 'a part of what is not there is refused with NoSuchKey or NoSuchUpload', PAGE, async (stage) => {
    const { at } = await put(stage);
    const upload = await begin(stage);
    await refused(part(stage, upload, 1, { ...at, Key: stage.unique() }), '404 NoSuchKey');
    await refused(part(stage, { ...upload, id: 'none' }, 1, at), '404 NoSuchUpload');
  }),
];

interface Upload {
  at: At;
  id: string | undefined;
}

async function begin(stage: Stage, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Upload> {
  const at = { Bucket: await stage.bucket(), Key: stage.unique('copied') };
  const { UploadId } = await stage.s3.send(new CreateMultipartUploadCommand({ ...more, ...at }));
  return { at, id: UploadId };
}

function copyPart(stage: Stage, { at, id }: Upload, PartNumber: number, from: At, more: Partial<UploadPartCopyCommandInput> = {}) {
  const CopySource = `${from.Bucket}/${from.Key}`;
  return stage.s3.send(new UploadPartCopyCommand({ CopySource, ...more, ...at, UploadId: id, PartNumber }));
}

/** As the completion names it. */
async function part(...copied: Parameters<typeof copyPart>): Promise<CompletedPart> {
  const { ETag, ChecksumCRC64NVME } = (await copyPart(...copied)).CopyPartResult ?? {};
  return { PartNumber: copied[2], ETag, ...(ChecksumCRC64NVME !== undefined && { ChecksumCRC64NVME }) };
}

function finish(stage: Stage, { at, id }: Upload, Parts: CompletedPart[], more: object = {}) {
  return stage.s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId: id, MultipartUpload: { Parts }, ...more }));
}
