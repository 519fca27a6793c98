/** Lists the target bucket below a prefix, for one who may list all of it. */
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { AuditTrail } from './audit/trail.ts';
import { SealdropError } from './errors.ts';
import { decodeFormKey } from './events/index.ts';
import { mayAccess } from './http/access.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import type { AccessRule } from './policy/schema.ts';
import { recordRefusal } from './record-refusal.ts';
import { translateAwsError } from './translate-aws-error.ts';

export interface ListDeps {
  s3: S3Client;
  targetBucket: string;
  /** The account that must own it. */
  targetBucketOwner: string;
  access: AccessRule[];
  trail: AuditTrail;
  metrics: Metrics;
  log: Log;
}

export interface ListRequest {
  prefix: string;
  delimiter: string | undefined;
  /** 1 to 1000. */
  limit: number;
  /** A former page's `cursor`. */
  cursor: string | undefined;
  caller: Caller;
  requestId: string;
}

export interface ListPage {
  objects: { key: string; size: number; etag: string; lastModified: string | null }[];
  /** What the delimiter cut off. */
  prefixes: string[];
  /** Where the next page begins; `null` at the end. */
  cursor: string | null;
}

/** @throws SealdropError `forbidden`, `invalid-request` (a cursor that is not ours), or what S3's refusal means */
export async function listObjects(request: ListRequest, deps: ListDeps): Promise<ListPage> {
  const { prefix, delimiter, limit, cursor, caller, requestId } = request;
  if (!mayAccess(deps.access, caller, 'list', prefix)) {
    await recordRefusal({ action: 'ListDenied', bucket: deps.targetBucket, key: prefix, caller, requestId }, deps);
    throw new SealdropError('forbidden', 'You may not list this prefix');
  }
  const answer = await deps.s3
    .send(
      new ListObjectsV2Command({
        Bucket: deps.targetBucket,
        ExpectedBucketOwner: deps.targetBucketOwner,
        Prefix: prefix,
        Delimiter: delimiter,
        MaxKeys: limit,
        ContinuationToken: cursor,
        // XML cannot carry every character that a key may have.
        EncodingType: 'url',
      }),
    )
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === 'InvalidArgument') {
        throw new SealdropError('invalid-request', 'The cursor is not one that this listing gave', { cause: error });
      }
      throw translateAwsError(error, {
        AccessDenied: ['access-denied', 'S3 denies the listing'],
        NoSuchBucket: ['target-missing', 'the target bucket does not exist'],
      });
    });
  return {
    objects: (answer.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
      key: decoded(Key),
      size: Size,
      etag: ETag.replaceAll('"', ''),
      lastModified: LastModified?.toISOString() ?? null,
    })),
    prefixes: (answer.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix === undefined ? [] : [decoded(Prefix)])),
    cursor: answer.NextContinuationToken ?? null,
  };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (EncodingType) */
function decoded(key: string): string {
  const plain = decodeFormKey(key);
  if (plain === null) throw new SealdropError('service-unavailable', 'S3 listed a key that is not URL-encoded');
  return plain;
}
