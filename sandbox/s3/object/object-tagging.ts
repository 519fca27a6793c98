/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging. Tags are no bytes: no key is needed for them. */
import { sendEmpty, sendXml } from '../answer.ts';
import { parseSetting, SETTINGS } from '../bucket/settings.ts';
import { checkTags, type Tag } from '../bucket/tags.ts';
import type { Call } from '../room.ts';
import type { StoredObject } from '../store/objects.ts';
import { document, parseDocument } from '../xml.ts';
import { findObject, parseVersionId } from './find.ts';
import { collectVerified } from './integrity.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
export function getObjectTagging(call: Call): void {
  const record = locate(call);
  sendXml(call.response, document('Tagging', { TagSet: { Tag: record.tags } }), versionHeader(call, record));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
export async function putObjectTagging(call: Call): Promise<void> {
  const { room, request } = call;
  const body = await collectVerified(request, MAX_BODY_BYTES);
  const { TagSet } = parseSetting('tagging', SETTINGS.tagging.fromXml(parseDocument(body, 'Tagging')));
  checkTags(TagSet, room.limits.maxTags);
  sendEmpty(call.response, 200, replaceTags(call, TagSet));
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
export function deleteObjectTagging(call: Call): void {
  sendEmpty(call.response, 204, replaceTags(call, []));
}

function replaceTags(call: Call, tags: Tag[]): Record<string, string> {
  return call.room.transaction(() => {
    const record = locate(call);
    call.room.objects.setTags(record.id, tags);
    return versionHeader(call, record);
  });
}

function locate(call: Call): StoredObject {
  const bucket = call.room.buckets.get(call.bucket);
  return findObject(call, bucket, call.key, parseVersionId(bucket, call.request.query.get('versionId')));
}

function versionHeader({ room, bucket }: Call, { version }: StoredObject): Record<string, string> {
  return room.buckets.get(bucket).settings.versioning ? { 'x-amz-version-id': version } : {};
}
