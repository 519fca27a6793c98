/** From an object and the policy to an encryption with its keys at hand. */
import type { S3Client } from '@aws-sdk/client-s3';
import { headSource, sourceTags } from './copy/source-object.ts';
import type { ResolvedEncryption, SecretKey } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { ObjectRef } from './events/index.ts';
import type { SecretKeys } from './keys/secret-keys.ts';
import { type CostlyFact, matchPolicy, type ObjectFacts } from './policy/match.ts';
import type { Decryption, Encryption, Policy } from './policy/schema.ts';

export interface DecideDeps {
  s3: S3Client;
  /** The account that must own the source's bucket. */
  ingestBucketOwner: string;
  policy: Policy;
  /** The stack's own key: what a rule without `key` means. */
  kmsKeyArn: string;
  /** Gives the ARN of `aws/s3`. */
  managedKeyArn: () => Promise<string>;
  customerKeys: SecretKeys;
  /** Absent: no rule asks for them. */
  wrappingKeys?: SecretKeys;
  /** Gives look-ups up as `time-out`. */
  signal?: AbortSignal;
}

export interface Decided {
  encryption: ResolvedEncryption;
  /** What the source is decrypted from first. */
  decrypt?: Decryption;
}

/** Asks S3 for content type or tags only when a rule turns on them. @throws SealdropError of the source or the keys */
export async function decideEncryption(ref: ObjectRef, deps: DecideDeps): Promise<Decided> {
  let facts: ObjectFacts = { key: ref.key, size: ref.size };
  for (;;) {
    const decision = matchPolicy(deps.policy, facts);
    switch (decision.action) {
      case 'encrypt':
        return {
          encryption: await resolveKeys(decision.encryption, deps),
          ...(decision.decrypt === undefined ? {} : { decrypt: decision.decrypt }),
        };
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
    case 'cse-kms': {
      const { reuseDataKey, key = deps.kmsKeyArn } = encryption;
      return { mode: 'cse-kms', keyArn: key, reuseDataKey, ...clientSide(encryption, deps) };
    }
    case 'cse-aes':
      return { mode: 'cse-aes', wrappingKey: await currentWrappingKey(deps), ...clientSide(encryption, deps) };
    default:
      return encryption satisfies never;
  }
}

function clientSide({ upToMiB }: { upToMiB: number }, { kmsKeyArn }: DecideDeps) {
  const stored = { mode: 'sse-kms' as const, keyArn: kmsKeyArn, bucketKey: true };
  return { stored, upToBytes: upToMiB * MIB };
}

async function currentWrappingKey({ wrappingKeys }: DecideDeps): Promise<SecretKey> {
  if (wrappingKeys === undefined)
    throw new SealdropError('wrapping-key-missing', 'the function was not told which secret holds the wrapping key');
  return wrappingKeys.current();
}

const MIB = 1024 * 1024;

const LOOK_UP: { [Fact in CostlyFact]: (deps: DecideDeps, ref: ObjectRef) => Promise<Required<Pick<ObjectFacts, Fact>>> } = {
  async contentType(deps, ref) {
    // S3's own default for objects that were stored without a type.
    return { contentType: (await headSource(deps, { ref })).ContentType ?? 'binary/octet-stream' };
  },
  async tags(deps, ref) {
    return { tags: Object.fromEntries((await sourceTags(deps, ref)).map(({ Key = '', Value = '' }) => [Key, Value])) };
  },
};
