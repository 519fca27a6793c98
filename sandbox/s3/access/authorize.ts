/** Asks the judge, and words its refusals as S3 does. */
import type { AccessRequest, Refusal, RequestContext } from '../../iam/judge.ts';
import { refusalSentence } from '../../iam/refusal.ts';
import { bucketArn, objectArn } from '../encryption/mode.ts';
import { accessDenied, noSuchBucket, noSuchUpload } from '../errors.ts';
import type { Operation } from '../operations.ts';
import type { Call } from '../room.ts';
import { requestContext, transportContext, versionContext } from './context.ts';
import { type Permission, permissionsOf } from './permissions.ts';

const NOTHING: RequestContext = {};
/** Judged with what the upload was begun with. */
const OF_AN_UPLOAD = new Set<Operation>(['UploadPart', 'UploadPartCopy', 'CompleteMultipartUpload']);

/**
 * Judges a request before anything of it is done or looked up: no right is a 403 whatever else is wrong with the request.
 * Throws AwsError: 403, or 404 for a bucket or an upload that is not there, without which there is nothing to judge by.
 */
export function authorize(call: Call, operation: Operation): void {
  const { room, request } = call;
  const asked = permissionsOf(operation, request, call);
  for (const bucket of asked.length === 0 ? [call.bucket] : new Set(asked.map((permission) => permission.bucket))) {
    if (bucket !== '' && operation !== 'CreateBucket' && !room.buckets.find(bucket)) throw noSuchBucket(bucket);
  }
  if (asked.length === 0) return;
  const context = requestContext(operation, request, inheritedContext(call, operation));
  for (const permission of asked) {
    requireAccess(call, permission, permission.source === null ? context : versionContext(request, permission.source.versionId));
  }
}

/**
 * Judges one action, for what an operation finds out that it needs.
 * @param context of the request's own action; else what is known of every request
 * Throws AwsError `AccessDenied`.
 */
export function requireAccess(call: Call, permission: Permission, context = transportContext(call.request)): void {
  call.room.judge.require(accessRequest(call, permission, context), refusal);
}

/** As `requireAccess`, where a refusal leaves something out of the answer. */
export function hasAccess(call: Call, permission: Permission, context: RequestContext): boolean {
  return call.room.judge.allows(accessRequest(call, permission, context));
}

function accessRequest({ room, principal }: Call, { action, bucket, key }: Permission, context: RequestContext): AccessRequest {
  const resource = bucket === '' ? '*' : key === '' ? bucketArn(bucket) : objectArn({ bucket, key });
  const resourcePolicy = room.buckets.find(bucket)?.policy?.document ?? null;
  return { principal, action, resource, context, resourcePolicy };
}

/**
 * S3 quotes its resources, and names none where there is none.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html#access-denied-message-examples
 */
const refusal: Refusal = (request, denial) =>
  accessDenied(
    request.resource === '*'
      ? refusalSentence(request, denial, '').replace('  ', ' ')
      : refusalSentence(request, denial, `on resource: "${request.resource}"`),
  );

function inheritedContext({ room, request, bucket, key }: Call, operation: Operation): RequestContext {
  if (!OF_AN_UPLOAD.has(operation)) return NOTHING;
  const uploadId = request.query.get('uploadId') ?? '';
  const at = [room.buckets.get(bucket).id, key, uploadId] as const;
  const upload = room.uploads.find(...at) ?? (operation === 'CompleteMultipartUpload' ? room.completedUploads.find(...at) : null);
  if (!upload) throw noSuchUpload(uploadId);
  return upload.asked;
}
