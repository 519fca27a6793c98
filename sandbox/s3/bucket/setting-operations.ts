/** Get, Put and Delete of what can be configured on a bucket. */
import { AwsError } from '../../aws-error.ts';
import { parseBucketPolicy, refusePublic, refuseUnknownPrincipals } from '../access/bucket-policy.ts';
import { sendEmpty, sendXml } from '../answer.ts';
import { noSuchBucket } from '../errors.ts';
import { sendTestEvents } from '../events.ts';
import { collectVerified } from '../object/integrity.ts';
import type { Call, Handler, Room } from '../room.ts';
import { document, parseDocument } from '../xml.ts';
import { DEFAULT_ENCRYPTION } from './encryption-configuration.ts';
import { type BucketSettings, parseSetting, SETTINGS, type SettingName } from './settings.ts';

const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** S3 shows these as an empty document when nobody set them. */
const EMPTY_WHEN_MISSING: SettingName[] = ['versioning', 'notification'];

/** Judges and stores a configuration. Throws AwsError for what S3 refuses. */
export function putSetting<N extends SettingName>(room: Room, bucketName: string, name: N, value: unknown): void {
  const bucket = room.buckets.get(bucketName);
  const parsed = parseSetting(name, value);
  checkAgainst(bucket.settings, { [name]: parsed });
  room.transaction(() => {
    if (name === 'notification') sendTestEvents(room.notify, bucketName, parseSetting('notification', value));
    room.buckets.update(bucketName, { settings: { ...bucket.settings, [name]: parsed } });
  });
}

export function deleteSetting(room: Room, bucketName: string, name: SettingName): void {
  const { [name]: _, ...settings } = room.buckets.get(bucketName).settings;
  room.buckets.update(bucketName, { settings });
}

/**
 * Puts a bucket policy in force.
 * @param principalArn who puts it, for the words of a refusal
 * Throws AwsError `MalformedPolicy`, and `AccessDenied` for a public one where those are blocked.
 */
export function putPolicy(room: Room, bucketName: string, text: string, principalArn: string): void {
  const { settings } = room.buckets.get(bucketName);
  const policy = parseBucketPolicy(bucketName, text);
  refuseUnknownPrincipals(policy, room.principalExists);
  if (settings.publicAccessBlock?.BlockPublicPolicy) refusePublic(bucketName, policy, principalArn);
  room.buckets.update(bucketName, { policy });
}

export function deletePolicy(room: Room, bucketName: string): void {
  room.buckets.update(bucketName, { policy: null });
}

export function getSettingOperation(name: SettingName): Handler {
  return ({ room, response, bucket }) => sendXml(response, settingXml(room.buckets.get(bucket).settings, name, bucket));
}

export function putSettingOperation(name: SettingName): Handler {
  return async (call) => {
    if (!call.room.buckets.find(call.bucket)) throw noSuchBucket(call.bucket);
    const { root, fromXml } = SETTINGS[name];
    putSetting(call.room, call.bucket, name, fromXml(parseDocument(await collectVerified(call.request, MAX_BODY_BYTES), root)));
    sendEmpty(call.response, name === 'tagging' ? 204 : 200);
  };
}

export function deleteSettingOperation(name: SettingName): Handler {
  return ({ room, response, bucket }) => {
    deleteSetting(room, bucket, name);
    sendEmpty(response, 204);
  };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html */
export function getBucketPolicy({ room, response, bucket }: Call): void {
  const { policy } = room.buckets.get(bucket);
  if (policy === null) throw new AwsError(404, 'NoSuchBucketPolicy', 'The bucket policy does not exist', { BucketName: bucket });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(policy.text) });
  response.end(policy.text);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html */
export async function putBucketPolicy(call: Call): Promise<void> {
  const body = await collectVerified(call.request, MAX_BODY_BYTES);
  putPolicy(call.room, call.bucket, body.toString('utf8'), call.principal.arn);
  sendEmpty(call.response, 204);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html */
export function deleteBucketPolicy({ room, response, bucket }: Call): void {
  deletePolicy(room, bucket);
  sendEmpty(response, 204);
}

function settingXml<N extends SettingName>(settings: Partial<BucketSettings>, name: N, bucket: string): string {
  const { root, toXml, missing } = SETTINGS[name];
  const value = settings[name];
  if (value !== undefined) return document(root, toXml(value));
  if (name === 'encryption') return document(root, SETTINGS.encryption.toXml(DEFAULT_ENCRYPTION));
  if (EMPTY_WHEN_MISSING.includes(name)) return document(root, {});
  throw missing(bucket);
}

/** Object Lock needs versioning, and keeps it. */
function checkAgainst(settings: Partial<BucketSettings>, change: Partial<BucketSettings>): void {
  if (change.versioning?.Status === 'Suspended' && settings.objectLock) {
    const message = 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.';
    throw new AwsError(409, 'InvalidBucketState', message);
  }
  if (change.objectLock && settings.versioning?.Status !== 'Enabled') {
    throw new AwsError(409, 'InvalidBucketState', "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
  }
}
