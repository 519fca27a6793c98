/** From an object and the policy to an encryption with its keys at hand. */
import { GetObjectTaggingCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { KMS_ERRORS } from './copy/translate-copy-error.ts';
import type { ResolvedEncryption } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import type { CustomerKeys } from './keys/customer-keys.ts';
import { type CostlyFact, matchPolicy, type ObjectFacts } from './policy/match.ts';
import type { Encryption, Policy } from './policy/schema.ts';
import { type ErrorNames, statusOf, translateAwsError } from './translate-aws-error.ts';

export interface DecideDeps {
  s3: S3Client;
  /** The account that must own the source's bucket. */
  ingestBucketOwner: string;
  policy: Policy;
  /** The stack's own key: what a rule without `key` means. */
  kmsKeyArn: string;
  /** Gives the ARN of `aws/s3`. */
  managedKeyArn: () => Promise<string>;
  customerKeys: CustomerKeys;
  /** Gives look-ups up as `time-out`. */
  signal?: AbortSignal;
}

/** Asks S3 for content type or tags only when a rule turns on them. @throws SealdropError of the source or the keys */
export async function decideEncryption(ref: ObjectRef, deps: DecideDeps): Promise<ResolvedEncryption> {
  let facts: ObjectFacts = { key: ref.key, size: ref.size };
  for (;;) {
    const decision = matchPolicy(deps.policy, facts);
    switch (decision.action) {
      case 'encrypt':
        return resolveKeys(decision.encryption, deps);
      case 'look-up':
        facts = { ...facts, ...(await LOOK_UP[decision.fact](deps, ref)) };
        break;
      default:
        decision satisfies never;
    }
  }
}

async function resolveKeys(encryption: Encryption, deps: DecideDeps): Promise<ResolvedEncryption> {
  const keyOf = async (key: string | undefined) =>
    key === 'aws/s3' ? { keyArn: await deps.managedKeyArn(), managed: true as const } : { keyArn: key ?? deps.kmsKeyArn };
  switch (encryption.mode) {
    case 'sse-s3':
      return { mode: 'sse-s3' };
    case 'sse-kms':
      return { mode: 'sse-kms', ...(await keyOf(encryption.key)), bucketKey: encryption.bucketKey };
    case 'dsse-kms':
      return { mode: 'dsse-kms', ...(await keyOf(encryption.key)) };
    case 'sse-c':
      return { mode: 'sse-c', customerKey: await deps.customerKeys.current() };
    default:
      return encryption satisfies never;
  }
}

const LOOK_UP: { [Fact in CostlyFact]: (deps: DecideDeps, ref: ObjectRef) => Promise<Required<Pick<ObjectFacts, Fact>>> } = {
  async contentType(deps, ref) {
    const { s3, ingestBucketOwner, signal } = deps;
    const head = new HeadObjectCommand({ ...located(ref, ingestBucketOwner), IfMatch: ref.etag });
    const answer = await s3.send(head, signal && { abortSignal: signal }).catch(async (error: unknown) => {
      // Expired credentials are refused like a source under SSE-C; a call that needs no key tells by name.
      if (statusOf(error) === 400) await LOOK_UP.tags(deps, ref);
      throw headError(error, ref);
    });
    // S3's own default for objects that were stored without a type.
    return { contentType: answer.ContentType ?? 'binary/octet-stream' };
  },
  async tags({ s3, ingestBucketOwner, signal }, ref) {
    const tagging = new GetObjectTaggingCommand(located(ref, ingestBucketOwner));
    const answer = await s3.send(tagging, signal && { abortSignal: signal }).catch((error: unknown) => {
      throw translateAwsError(error, TAGGING_ERRORS, ref);
    });
    return { tags: Object.fromEntries((answer.TagSet ?? []).map(({ Key = '', Value = '' }) => [Key, Value])) };
  },
};

const located = (ref: ObjectRef, ExpectedBucketOwner: string) => ({
  Bucket: ref.bucket,
  ExpectedBucketOwner,
  Key: ref.key,
  VersionId: ref.versionId,
});

const TAGGING_ERRORS: ErrorNames = {
  ...KMS_ERRORS,
  NoSuchKey: ['source-gone', 'the source object does not exist'],
  NoSuchVersion: ['source-gone', 'the source version does not exist'],
  NoSuchBucket: ['source-gone', 'the ingest bucket does not exist'],
  MethodNotAllowed: ['source-gone', 'the source version is a delete marker'],
  AccessDenied: ['source-unreadable', "the source's tags may not be read"],
};

/** A HEAD has no body, so S3 says no more than a status. */
function headError(error: unknown, ref: ObjectRef): SealdropError {
  const status = statusOf(error);
  switch (status) {
    case 404:
    case 405:
      return new SealdropError('source-gone', 'the source object does not exist', { object: ref, cause: error });
    case 412:
      return new SealdropError('source-changed', 'the source object was overwritten since its event', { object: ref, cause: error });
    case 400:
    case 403:
      return new SealdropError('source-unreadable', `the source may not be read (HEAD: ${status})`, { object: ref, cause: error });
    default:
      return translateAwsError(error, {}, ref);
  }
}
