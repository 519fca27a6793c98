/** A source of two parts, and multipart uploads that are made of it. */
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { BUCKET as Bucket, openSandbox, type Sandbox, sample } from './sandbox.ts';

export const MIN = 1000;
export const LARGEST = 400_000;
export const MAX_PARTS = 10;
/** What the uploads become. */
export const Key = 'assembled';
export const SOURCE = 'a source/é+1';
/** Larger than what is handled in one piece. */
export const BODY = sample(700_001);
const CopySource = `${Bucket}/${encodeURIComponent(SOURCE)}`;

/** With lower limits; the source is not there yet. */
export async function openPartCopyBench() {
  const sandbox = await openSandbox({
    limits: { minPartBytes: MIN, minRangeSourceBytes: MIN, maxPutBytes: LARGEST, maxParts: MAX_PARTS, threadBytes: 299_999 },
  });
  return { sandbox, ...calls(sandbox) };
}

export type PartCopyBench = Awaited<ReturnType<typeof openPartCopyBench>>;

/** As UploadPartCopy takes it: both ends are inside. */
export function bytes(first: number, last: number) {
  return { CopySourceRange: `bytes=${first}-${last}` };
}

function calls({ client }: Sandbox) {
  return {
    /** In parts, since it is larger than one; gives its ETag. */
    async putSource(name: string, body: Buffer, extra: object = {}): Promise<string | undefined> {
      const at = { Bucket, Key: name };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...at, ...extra }));
      const Parts: CompletedPart[] = [];
      for (let offset = 0; offset < body.length; offset += LARGEST) {
        const part = { ...at, UploadId, PartNumber: Parts.length + 1, Body: body.subarray(offset, offset + LARGEST), ...extra };
        Parts.push({ PartNumber: Parts.length + 1, ETag: (await client.send(new UploadPartCommand(part))).ETag });
      }
      const done = await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, ...extra }));
      return done.ETag;
    },
    /** Gives the upload's id. */
    async begin(extra: object = {}): Promise<string | undefined> {
      return (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...extra }))).UploadId;
    },
    copyPart: (UploadId: string | undefined, PartNumber: number, extra: object = {}) =>
      client.send(new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, ...extra })),
    complete: (UploadId: string | undefined, Parts: CompletedPart[], extra: object = {}) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...extra })),
    async read(extra: object = {}) {
      const { Body, ...rest } = await client.send(new GetObjectCommand({ Bucket, Key, ...extra }));
      return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), ...rest };
    },
  };
}
