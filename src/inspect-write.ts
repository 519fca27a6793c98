/** How an object of the target bucket is encrypted, and whether that is what policy.yml says. */
import { GetObjectTaggingCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { answeredEncryption, type ClientSideMode, codedMode, type EncryptionDescription, isClientSideMode } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectWritten } from './events/index.ts';
import { MESSAGE_AT_S3 } from './policy/at-s3.ts';
import type { ObjectFacts } from './policy/match.ts';
import { possibleEncryptions, possibleModes } from './policy/possible.ts';
import type { Encryption, Policy } from './policy/schema.ts';
import { type ErrorNames, translateAwsError } from './translate-aws-error.ts';

/** What S3 calls the version that was written without versioning. */
const NULL_VERSION = 'null';

export interface InspectDeps {
  s3: S3Client;
  /** The account that must own the target bucket. */
  targetBucketOwner: string;
  policy: Policy;
  /** The stack's own key: what a rule without `key` means. */
  kmsKeyArn: string;
  /** Gives the ARN of `aws/s3`; asked only where a rule names it. */
  managedKeyArn: () => Promise<string>;
  /** Gives look-ups up as `time-out`. */
  signal?: AbortSignal;
}

export interface Inspection {
  encryption: EncryptionDescription;
  /** What was found and what policy.yml says, where they differ. */
  drift: string | null;
}

/**
 * Looks without a key, so that no byte of the object can be read. `null`: the version is gone meanwhile.
 * @throws SealdropError `access-denied`, `answer-mismatch`, those of `managedKeyArn`, or a retryable one
 */
export async function inspectWrite(event: ObjectWritten, deps: InspectDeps): Promise<Inspection | null> {
  const inspection = await inspectVersion(event, deps);
  // Since versioning was switched on, others may lie above what had no version id: it is called null then.
  return inspection === null && event.versionId === undefined ? inspectVersion({ ...event, versionId: NULL_VERSION }, deps) : inspection;
}

async function inspectVersion(event: ObjectWritten, deps: InspectDeps): Promise<Inspection | null> {
  const head = await look(event, deps);
  if (head === null) return null;
  const { encryption, atS3, ...known } = head;
  if (isClientSideMode(encryption.mode)) return { encryption, drift: driftOfMessage(encryption.mode, atS3, event.key, deps) };
  let facts: ObjectFacts = { key: event.key, size: event.size, ...known };
  let verdict = await compare(encryption, facts, deps);
  if (verdict.agreeing > 0 && verdict.agreeing < verdict.meant.length && verdict.open.includes('tags')) {
    const tags = await tagsOf(event, deps);
    if (tags === null) return null;
    facts = { ...facts, tags };
    verdict = await compare(encryption, facts, deps);
  }
  if (verdict.agreeing > 0) return { encryption, drift: null };
  const said = [...new Set(verdict.meant.map((meant) => words(meant)))].join(' or ');
  return { encryption, drift: `found ${words(encryption)}; policy.yml says ${said}` };
}

/** A message is longer than its source was, and which key it is under is not to be seen without its bytes; what S3 stores it under is. */
function driftOfMessage(mode: ClientSideMode, atS3: EncryptionDescription, key: string, deps: InspectDeps): string | null {
  const modes = possibleModes(deps.policy, key);
  if (!modes.has(mode)) return `found ${mode}; policy.yml says ${[...modes].join(' or ')}`;
  const stored: EncryptionDescription = { ...MESSAGE_AT_S3, keyArn: deps.kmsKeyArn };
  if (atS3.keyArn === stored.keyArn && atS3.bucketKey === stored.bucketKey) return null;
  return `found ${mode}, stored as ${words(atS3)}; messages are stored as ${words(stored)}`;
}

interface Verdict {
  /** What policy.yml may mean, as far as the facts tell. */
  meant: EncryptionDescription[];
  open: string[];
  /** How many of them agree with what was found. */
  agreeing: number;
}

async function compare(found: EncryptionDescription, facts: ObjectFacts, deps: InspectDeps): Promise<Verdict> {
  const { encryptions, open } = possibleEncryptions(deps.policy, facts);
  const meant = await Promise.all(encryptions.map((encryption) => described(encryption, deps)));
  const agrees = ({ mode, keyArn, bucketKey }: EncryptionDescription) =>
    mode === found.mode && keyArn === found.keyArn && bucketKey === found.bucketKey;
  return { meant, open, agreeing: meant.filter(agrees).length };
}

async function described(encryption: Encryption, { kmsKeyArn, managedKeyArn }: InspectDeps): Promise<EncryptionDescription> {
  const keyOf = async (key: string | undefined) => (key === 'aws/s3' ? managedKeyArn() : (key ?? kmsKeyArn));
  switch (encryption.mode) {
    case 'sse-s3':
    case 'sse-c':
      return { mode: encryption.mode };
    case 'sse-kms':
      return { mode: 'sse-kms', keyArn: await keyOf(encryption.key), bucketKey: encryption.bucketKey };
    case 'dsse-kms':
      return { mode: 'dsse-kms', keyArn: await keyOf(encryption.key) };
    case 'cse-kms':
    case 'cse-aes':
      return { mode: encryption.mode };
    default:
      return encryption satisfies never;
  }
}

interface Found {
  /** As the object says of itself, where it says to be a message. */
  encryption: EncryptionDescription;
  /** As S3 says. */
  atS3: EncryptionDescription;
  contentType?: string;
  tags?: Record<string, string>;
}

/** A HEAD has no body, so that its status is all there is: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
async function look(event: ObjectWritten, deps: InspectDeps): Promise<Found | null> {
  const { s3, targetBucketOwner, signal } = deps;
  const command = new HeadObjectCommand({ ...located(event, targetBucketOwner), IfMatch: event.etag });
  try {
    const answer = await s3.send(command, signal && { abortSignal: signal });
    const atS3 = answeredEncryption(answer);
    const coded = codedMode(answer.ContentEncoding);
    if (atS3 === null) {
      throw new SealdropError('answer-mismatch', 'S3 does not say how the object is encrypted', { object: event });
    }
    // S3's own default for objects that were stored without a type.
    const encryption = coded !== null && atS3.mode === 'sse-kms' ? { mode: coded.mode } : atS3;
    return { encryption, atS3, contentType: answer.ContentType ?? 'binary/octet-stream' };
  } catch (error) {
    switch (statusOf(error)) {
      case 400:
        return underCustomerKey(event, deps);
      case 404:
      case 405:
      case 412:
        return null;
      case 403:
        throw new SealdropError('access-denied', 'the target object may not be inspected (HEAD: 403)', { object: event, cause: error });
      default:
        throw translateAwsError(error, {}, event);
    }
  }
}

/**
 * Without a key S3 refuses so what is stored under one. So it refuses expired credentials too: a call that needs no key tells them apart by
 * name. And where there are no versions, what it refuses may have been written since.
 */
async function underCustomerKey(event: ObjectWritten, deps: InspectDeps): Promise<Found | null> {
  const tags = await tagsOf(event, deps);
  if (tags === null || !(await isStillThere(event, deps))) return null;
  return { encryption: { mode: 'sse-c' }, atS3: { mode: 'sse-c' }, tags };
}

/** A listing shows ETags of what it has no key to, and the key itself before all that begin with it. */
async function isStillThere({ bucket, key, versionId, etag }: ObjectWritten, { s3, targetBucketOwner, signal }: InspectDeps) {
  if (versionId !== undefined && versionId !== NULL_VERSION) return true;
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    ExpectedBucketOwner: targetBucketOwner,
    Prefix: key,
    MaxKeys: 1,
    EncodingType: 'url',
  });
  const { Contents = [] } = await s3.send(command, signal && { abortSignal: signal }).catch((error: unknown) => {
    throw translateAwsError(error, LOOK_UP_ERRORS, { bucket, key });
  });
  return Contents[0]?.ETag?.replaceAll('"', '') === etag;
}

const GONE = new Set(['NoSuchKey', 'NoSuchVersion', 'MethodNotAllowed']);

async function tagsOf(event: ObjectWritten, { s3, targetBucketOwner, signal }: InspectDeps): Promise<Record<string, string> | null> {
  const command = new GetObjectTaggingCommand(located(event, targetBucketOwner));
  try {
    const { TagSet = [] } = await s3.send(command, signal && { abortSignal: signal });
    return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
  } catch (error) {
    if (error instanceof Error && GONE.has(error.name)) return null;
    throw translateAwsError(error, LOOK_UP_ERRORS, event);
  }
}

const LOOK_UP_ERRORS: ErrorNames = {
  NoSuchBucket: ['target-missing', 'the target bucket does not exist'],
  AccessDenied: ['access-denied', "the target's keys or tags may not be read"],
};

function located({ bucket, key, versionId }: ObjectWritten, ExpectedBucketOwner: string) {
  return { Bucket: bucket, ExpectedBucketOwner, Key: key, VersionId: versionId };
}

function statusOf(error: unknown): number {
  return error instanceof Error && '$metadata' in error
    ? ((error as { $metadata: { httpStatusCode?: number } }).$metadata.httpStatusCode ?? 0)
    : 0;
}

function words({ mode, keyArn, bucketKey }: EncryptionDescription): string {
  const under = keyArn === undefined ? '' : ` under ${keyArn}`;
  return `${mode}${under}${bucketKey === undefined ? '' : ` with the Bucket Key ${bucketKey ? 'on' : 'off'}`}`;
}
