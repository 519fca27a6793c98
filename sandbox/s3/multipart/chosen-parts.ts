/** The uploaded parts that a completion names, each as it says. */
import { AwsError } from '../../aws-error.ts';
import { invalidRequest } from '../errors.ts';
import type { Room } from '../room.ts';
import type { Segment } from '../store/segments.ts';
import type { Upload } from '../store/uploads.ts';
import type { RequestedPart } from './part-list.ts';

/** Throws AwsError: for parts that are not there, not the ones that are meant, or too small. */
export function chooseParts(room: Room, upload: Upload, requested: RequestedPart[]): Segment[] {
  const uploaded = new Map(room.segments.of(upload.id).map((part) => [part.number, part]));
  return requested.map(({ number, etag, checksums }, index) => {
    const part = uploaded.get(number);
    if (!part || part.etag !== etag) throw invalidPart(upload, number, etag);
    checkPart(upload, part, checksums);
    if (index < requested.length - 1 && part.size < room.limits.minPartBytes) {
      throw new AwsError(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(room.limits.minPartBytes),
        PartNumber: String(number),
        ETag: etag,
      });
    }
    return part;
  });
}

function checkPart(upload: Upload, part: Segment, checksums: RequestedPart['checksums']): void {
  const { algorithm } = upload;
  const claimed = algorithm === null ? undefined : checksums.get(algorithm);
  if (algorithm !== null && claimed === undefined && checksums.size === 0) {
    if (upload.checksumType === 'FULL_OBJECT') return;
    throw invalidRequest(
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. ` +
        `It was missing for part ${part.number} in the request.`,
    );
  }
  for (const other of checksums.keys()) {
    if (algorithm === null) throw invalidPart(upload, part.number, part.etag);
    if (other !== algorithm) {
      throw new AwsError(
        400,
        'BadDigest',
        `The ${other.toLowerCase()} you specified for part ${part.number} did not match what we received.`,
      );
    }
  }
  if (claimed !== undefined && claimed !== part.checksum?.value) throw invalidPart(upload, part.number, part.etag);
}

function invalidPart({ upload }: Upload, number: number, etag: string): AwsError {
  const message =
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
  return new AwsError(400, 'InvalidPart', message, { UploadId: upload, PartNumber: String(number), ETag: etag });
}
