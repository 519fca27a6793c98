/** How much a copy moves, as S3 could tell before it begins. */
import { AwsError } from '../../aws-error.ts';
import type { WireRequest } from '../../service.ts';
import type { Room } from '../room.ts';
import { parseCopySource } from './copy-source-header.ts';

const RANGE = /^bytes=(\d+)-(\d+)$/;

/** Bytes of the object, or of the range of it, that the request copies; `null`: it copies none that is there. */
export function copiedBytes(room: Room, { headers }: WireRequest): number | null {
  const source = headers['x-amz-copy-source'];
  if (typeof source !== 'string') return null;
  const [, first, last] = RANGE.exec(String(headers['x-amz-copy-source-range'] ?? '')) ?? [];
  if (first !== undefined && last !== undefined) return Number(last) - Number(first) + 1;
  try {
    const { bucketName, key, versionId } = parseCopySource(source);
    const bucket = room.buckets.find(bucketName);
    if (bucket === null) return null;
    const record = versionId === null ? room.objects.current(bucket.id, key) : room.objects.version(bucket.id, key, versionId);
    return record?.size ?? null;
  } catch (error) {
    if (error instanceof AwsError) return null;
    throw error;
  }
}
