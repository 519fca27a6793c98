/** DeleteObject and DeleteObjects. */
import { AwsError } from '../../aws-error.ts';
import { requireAccess } from '../access/authorize.ts';
import { versionContext } from '../access/context.ts';
import { sendEmpty, sendXml } from '../answer.ts';
import { list, members } from '../bucket/shapes.ts';
import { accessDenied, malformedXml, noSuchVersion, preconditionFailed } from '../errors.ts';
import { sendEvents } from '../events.ts';
import type { Call } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import { NULL_VERSION, type ObjectRecord } from '../store/objects.ts';
import type { Deletion } from '../store/versions.ts';
import { document, parseDocument, type XmlMembers } from '../xml.ts';
import { missing, parseVersionId } from './find.ts';
import { collectVerified, parseClaim } from './integrity.ts';

const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export function deleteObject(call: Call): void {
  const { room, request, response, key } = call;
  const bucket = room.buckets.get(call.bucket);
  const versionId = parseVersionId(bucket, request.query.get('versionId'));
  const ifMatch = request.headers['if-match'];
  const { marker, removed } = remove(call, bucket, key, versionId, ifMatch === undefined ? null : String(ifMatch));
  const headers: Record<string, string> = {};
  if (marker) Object.assign(headers, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.version });
  else if (versionId !== null) headers['x-amz-version-id'] = versionId;
  if (versionId !== null && removed && !removed.sealed) headers['x-amz-delete-marker'] = 'true';
  sendEmpty(response, 204, headers);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects(call: Call): Promise<void> {
  const { room, request, response } = call;
  const bucket = room.buckets.get(call.bucket);
  const { algorithm, contentMd5 } = parseClaim(request.headers);
  if (algorithm === null && contentMd5 === null) {
    throw new AwsError(400, 'InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
  const body = await collectVerified(request, MAX_BODY_BYTES);
  const { Object: objects, Quiet } = members(parseDocument(body, 'Delete'));
  const targets = list(objects).map(parseTarget);
  if (targets.length === 0 || targets.length > room.limits.maxKeys) throw malformedXml();
  const results = targets.map((target) => deleteOne(call, bucket, target));
  const quiet = Quiet === 'true';
  sendXml(
    response,
    document('DeleteResult', {
      Deleted: quiet ? [] : results.flatMap(({ deleted }) => (deleted ? [deleted] : [])),
      Error: results.flatMap(({ error }) => (error ? [error] : [])),
    }),
  );
}

interface Target {
  key: string;
  versionId: string | null;
  etag: string | null;
}

function parseTarget(element: unknown): Target {
  const { Key, VersionId, ETag, ...unknown } = members(element);
  if (typeof Key !== 'string' || Key === '') throw malformedXml();
  if (unknown.LastModifiedTime !== undefined || unknown.Size !== undefined) {
    throw new AwsError(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented');
  }
  return { key: Key, versionId: typeof VersionId === 'string' ? VersionId : null, etag: typeof ETag === 'string' ? ETag : null };
}

function deleteOne(call: Call, bucket: Bucket, { key, versionId, etag }: Target): { deleted?: XmlMembers; error?: XmlMembers } {
  const named = { Key: key, VersionId: versionId };
  try {
    requireDelete(call, { key, versionId, etag });
    const version = versionId === null ? null : parseListedVersion(bucket, key, versionId);
    if (version !== null && !call.room.objects.version(bucket.id, key, version)) throw noSuchVersion(key, version);
    const { marker, removed } = remove(call, bucket, key, version, etag);
    const removedMarker = versionId !== null && removed !== null && removed.sealed === null ? removed : null;
    const shown = marker ?? removedMarker;
    return { deleted: { ...named, ...(shown ? { DeleteMarker: true, DeleteMarkerVersionId: shown.version } : {}) } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: { ...named, Code: error.code, Message: error.message } };
  }
}

/** The rights of DeleteObject, for one of many. */
function requireDelete(call: Call, { key, versionId, etag }: Target): void {
  const { bucket, request } = call;
  const context = { ...versionContext(request, versionId), ...(etag !== null && { 's3:if-match': etag }) };
  requireAccess(call, { action: versionId === null ? 's3:DeleteObject' : 's3:DeleteObjectVersion', bucket, key }, context);
  if (etag !== null && etag !== '*') requireAccess(call, { action: 's3:GetObject', bucket, key }, context);
}

/** In a list, an id that cannot be one is a version that is not there. */
function parseListedVersion(bucket: Bucket, key: string, versionId: string): string {
  try {
    return parseVersionId(bucket, versionId) ?? NULL_VERSION;
  } catch {
    throw noSuchVersion(key, versionId);
  }
}

function remove(call: Call, bucket: Bucket, key: string, versionId: string | null, ifMatch: string | null): Deletion {
  const { room } = call;
  const deletion = room.transaction(() => {
    if (ifMatch !== null) checkMatch(ifMatch, room.objects.current(bucket.id, key), () => missing(call, bucket, key));
    const done = versionId === null ? room.versions.deleteCurrent(bucket, key) : deleteVersion(call, bucket, key, versionId);
    if (versionId === null) room.uploads.keyDeleted(bucket.id, key);
    const subject = done.marker ?? done.removed;
    if (subject) {
      const type = done.marker ? 's3:ObjectRemoved:DeleteMarkerCreated' : 's3:ObjectRemoved:Delete';
      const etag = done.marker?.etag ?? null;
      sendEvents(call, bucket, { type, key, size: null, etag, version: subject.version, sequence: done.sequence });
    }
    return done;
  });
  room.blobs.remove(deletion.orphans);
  return deletion;
}

function deleteVersion({ room }: Call, bucket: Bucket, key: string, versionId: string): Deletion {
  const record = room.objects.version(bucket.id, key, versionId);
  if (!record) return { removed: null, marker: null, sequence: 0, orphans: [] };
  if (record.retention && record.retention.until > Date.now()) throw accessDenied('Access Denied because object protected by object lock.');
  return room.versions.deleteVersion(record);
}

function checkMatch(ifMatch: string, current: ObjectRecord | null, missing: () => AwsError): void {
  if (!current?.sealed) throw missing();
  if (ifMatch !== '*' && ifMatch.replaceAll('"', '') !== current.etag) throw preconditionFailed('If-Match');
}
