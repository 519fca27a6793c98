/** ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation. */

import { REGION } from '../../account.ts';
import { AwsError } from '../../aws-error.ts';
import { isoDate, sendEmpty, sendXml } from '../answer.ts';
import { bucketArn } from '../encryption/mode.ts';
import { EmptyAnswer } from '../errors.ts';
import { OWNER } from '../listing/list-objects.ts';
import { parseMax } from '../listing/parameters.ts';
import { collect } from '../object/body.ts';
import type { Call, Room } from '../room.ts';
import { document, parseDocument } from '../xml.ts';
import { parseSetting } from './settings.ts';
import { members } from './shapes.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_BUCKETS = 10_000;
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const NAME =
  /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export interface CreateBucketOptions {
  objectLock?: boolean;
}

/**
 * Creates a bucket as S3 does today: public access blocked, ACLs off, SSE-S3, SSE-C blocked.
 * Throws AwsError `InvalidBucketName`, `BucketAlreadyOwnedByYou`.
 */
export function createBucket(room: Room, name: string, { objectLock = false }: CreateBucketOptions = {}): void {
  if (!NAME.test(name)) throw new AwsError(400, 'InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name });
  if (room.buckets.find(name)) {
    const message = 'Your previous request to create the named bucket succeeded and you already own it.';
    throw new AwsError(409, 'BucketAlreadyOwnedByYou', message, { BucketName: name });
  }
  room.buckets.insert(name, {
    publicAccessBlock: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
    ownershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    ...(objectLock ? { versioning: { Status: 'Enabled' }, objectLock: parseSetting('objectLock', { ObjectLockEnabled: 'Enabled' }) } : {}),
  });
}

/** Throws AwsError `NoSuchBucket`, `BucketNotEmpty`. Uploads that were under way end with the bucket. */
export function deleteBucket(room: Room, name: string): void {
  const orphans = room.transaction(() => {
    const bucket = room.buckets.get(name);
    const { versions, current } = room.objects.contents(bucket.id);
    if (versions) {
      const message = 'The bucket you tried to delete is not empty';
      const hint = current ? message : `${message}. You must delete all versions in the bucket.`;
      throw new AwsError(409, 'BucketNotEmpty', hint, { BucketName: name });
    }
    const blobs = room.uploads.of(bucket.id).flatMap(({ id }) => {
      room.uploads.delete(id);
      return room.segments.delete(id);
    });
    room.buckets.delete(name);
    return blobs;
  });
  room.blobs.remove(orphans);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
export async function handleCreateBucket({ room, request, response, bucket }: Call): Promise<void> {
  const body = await collect(request.body, MAX_BODY_BYTES);
  if (body.length > 0) {
    const { LocationConstraint } = members(parseDocument(body, 'CreateBucketConfiguration'));
    if (LocationConstraint !== undefined && LocationConstraint !== REGION) {
      const message = `The ${String(LocationConstraint)} location constraint is incompatible for the region specific endpoint this request was sent to.`;
      throw new AwsError(400, 'IllegalLocationConstraintException', message);
    }
  }
  createBucket(room, bucket, { objectLock: request.headers['x-amz-bucket-object-lock-enabled'] === 'true' });
  sendEmpty(response, 200, { location: `/${bucket}`, 'x-amz-bucket-arn': bucketArn(bucket) });
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html */
export function handleDeleteBucket({ room, response, bucket }: Call): void {
  deleteBucket(room, bucket);
  sendEmpty(response, 204);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export function headBucket({ room, response, bucket }: Call): void {
  if (!room.buckets.find(bucket)) throw new EmptyAnswer(404, {});
  response.writeHead(200, { 'x-amz-bucket-region': REGION, 'x-amz-bucket-arn': bucketArn(bucket), 'x-amz-access-point-alias': 'false' });
  response.end();
}

/** us-east-1 is the one Region that S3 does not name. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export function getBucketLocation({ room, response, bucket }: Call): void {
  room.buckets.get(bucket);
  sendXml(response, document('LocationConstraint', {}));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets({ room, request, response }: Call): void {
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const limit = parseMax(query.get('max-buckets'), 'max-buckets', MAX_BUCKETS);
  const found = room.buckets.list().filter(({ name }) => name.startsWith(prefix) && name > after);
  const page = found.slice(0, limit);
  sendXml(
    response,
    document('ListAllMyBucketsResult', {
      Owner: OWNER,
      Buckets: {
        Bucket: page.map(({ name, created }) => ({
          Name: name,
          CreationDate: isoDate(created),
          BucketRegion: REGION,
          BucketArn: bucketArn(name),
        })),
      },
      ContinuationToken: found.length > page.length ? page.at(-1)?.name : null,
      Prefix: prefix === '' ? null : prefix,
    }),
  );
}
