/**
 * What the target bucket refuses, whoever asks and whatever their role allows. Denials alone, none of them about the policy
 * itself, so that the account can never lock itself out.
 *
 * A bucket policy sees a write's headers: neither the bucket's default encryption nor Bucket Keys, size, content type or tags. What it cannot
 * see, the audit function finds as drift. UploadPart carries no encryption header but SSE-C's; S3 is said to have refused parts under such
 * a policy once (https://github.com/boto/botocore/issues/471). AWS tests that parts pass under a session policy like it
 * (https://github.com/awslabs/mountpoint-s3/blob/main/mountpoint-s3-fs/tests/fuse_tests/write_test.rs). Parts that are copied: unverified.
 */
import { type AskedEncryption, certainByKey } from '../src/policy/certain.ts';
import { URL_LIFETIME_SECONDS } from '../src/url-lifetime.ts';
import { type Condition, type Statement, sub, type Text } from './cloudformation.ts';
import { stackKey } from './keys-in-use.ts';
import { bucketArn } from './names.ts';
import { exactly, including } from './object-arns.ts';
import { readByFunctionsAlone } from './object-reads.ts';
import type { Rights } from './rights.ts';
import type { Stack } from './stack.ts';

export const ALGORITHM = 's3:x-amz-server-side-encryption';
export const KMS_KEY = 's3:x-amz-server-side-encryption-aws-kms-key-id';
const CUSTOMER_ALGORITHM = 's3:x-amz-server-side-encryption-customer-algorithm';

/** How a write's headers name the modes that KMS serves, and what the statements' Sids call them. */
const KMS_MODES = [
  { mode: 'sse-kms', algorithm: 'aws:kms', called: 'Kms' },
  { mode: 'dsse-kms', algorithm: 'aws:kms:dsse', called: 'Dsse' },
] as const;

/** S3's clock and the signer's. */
const CLOCKS_DIFFER_SECONDS = 60;

type Where = { Resource: Text | Text[] } | { NotResource: Text[] };

export function targetBucketStatements(stack: Stack, rights: Rights): Statement[] {
  return [
    ...readByFunctionsAlone(stack, rights, 'target'),
    keepEncryption(stack, 'target'),
    noReplicas(stack, 'target'),
    urlsForMinutes(stack, 'target'),
    ...writesAsPolicySays(stack),
  ];
}

/** Changes an object's key in place, past every rule about writes; nothing here uses it. */
export function keepEncryption(stack: Stack, which: 'target' | 'transit'): Statement {
  return { ...deny('KeepEncryption', { Resource: sub(`${bucketArn(stack, which)}/*`) }), Action: ['s3:UpdateObjectEncryption'] };
}

/** Replication writes and deletes by actions of its own, and says no encryption; nothing here replicates. */
export function noReplicas(stack: Stack, which: 'target' | 'transit'): Statement {
  const Action = ['s3:ObjectOwnerOverrideToBucketOwner', 's3:ReplicateDelete', 's3:ReplicateObject', 's3:ReplicateTags'];
  return { ...deny('NoReplicas', { Resource: sub(`${bucketArn(stack, which)}/*`) }), Action };
}

/**
 * Whoever signs a URL says how long it lasts, up to seven days; here none lasts longer than those that callers are given.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html (s3:signatureAge: milliseconds, of URLs alone)
 */
export function urlsForMinutes(stack: Stack, which: 'target' | 'transit'): Statement {
  const oldest = String((URL_LIFETIME_SECONDS + CLOCKS_DIFFER_SECONDS) * 1000);
  const where = { Resource: sub(`${bucketArn(stack, which)}/*`) };
  const read = ['s3:GetObject', 's3:GetObjectVersion'];
  return { ...deny('UrlsForMinutes', where, { NumericGreaterThan: { 's3:signatureAge': oldest } }), Action: read };
}

function writesAsPolicySays(stack: Stack): Statement[] {
  const arn = bucketArn(stack, 'target');
  const { anywhere, within, elsewhere } = certainByKey(stack.policy);
  const statements = encryptedAs(stack, 'Anywhere', { Resource: sub(`${arn}/*`) }, anywhere, null);

  // Rules whose keys can get the same share their statements.
  const groups = new Map<string, { first: number; encryptions: AskedEncryption[]; arns: Text[] }>();
  for (const { rule, keys, encryptions } of within) {
    const name = JSON.stringify(encryptions.map((encryption) => JSON.stringify(encryption)).sort());
    const group = groups.get(name) ?? { first: rule, encryptions, arns: [] };
    group.arns.push(...exactly(arn, keys));
    groups.set(name, group);
  }
  for (const { first, encryptions, arns } of groups.values()) {
    if (arns.length > 0) statements.push(...encryptedAs(stack, `Rule${first}`, { Resource: arns }, encryptions, anywhere));
  }
  const ruled = within.flatMap(({ keys }) => including(arn, keys));
  const everyKey = JSON.stringify(sub(`${arn}/*`));
  if (ruled.length > 0 && !ruled.some((resource) => JSON.stringify(resource) === everyKey)) {
    statements.push(...encryptedAs(stack, 'Elsewhere', { NotResource: ruled }, elsewhere, anywhere));
  }
  return statements;
}

/**
 * Denies writes whose headers say anything but one of `allowed`.
 * @param enforced what is enforced at these keys already; what would say no more is left out
 */
function encryptedAs(
  stack: Stack,
  called: string,
  where: Where,
  allowed: AskedEncryption[],
  enforced: AskedEncryption[] | null,
): Statement[] {
  const statements: Statement[] = [];
  const modes = (encryptions: AskedEncryption[]) => [...new Set(encryptions.map(({ mode }) => mode))].sort().join();
  if (enforced === null || modes(allowed) !== modes(enforced)) {
    statements.push(deny(`${called}EncryptedAsRuled`, where, noneOf(allowed)));
  }
  for (const { mode, algorithm, called: kms } of KMS_MODES) {
    const keys = keysOf(allowed, mode);
    if (keys.length === 0 || (enforced !== null && keys.join() === keysOf(enforced, mode).join())) continue;
    statements.push(deny(`${called}UnderRuled${kms}Key`, where, otherKey(stack, algorithm, keys)));
  }
  return statements;
}

/** A write that names no mode of `allowed`. SSE-C says itself by a header of its own, and without the other one. */
function noneOf(allowed: AskedEncryption[]): Condition {
  const algorithms = [
    ...(allowed.some(({ mode }) => mode === 'sse-s3') ? ['AES256'] : []),
    ...KMS_MODES.filter(({ mode }) => allowed.some((encryption) => encryption.mode === mode)).map(({ algorithm }) => algorithm),
  ];
  return {
    ...(algorithms.length === 0 ? {} : { StringNotEquals: { [ALGORITHM]: algorithms } }),
    ...(allowed.some(({ mode }) => mode === 'sse-c') ? { Null: { [CUSTOMER_ALGORITHM]: 'true' } } : {}),
  };
}

/** aws/s3 is what S3 takes when a write names no key; any other key must be named by its full ARN. */
function otherKey(stack: Stack, algorithm: string, keys: string[]): Condition {
  const named = keys.filter((key) => key !== 'aws/s3').map((key) => (key === OWN_KEY ? stackKey(stack) : key));
  const other = named.length === 0 ? {} : { StringNotEquals: { [KMS_KEY]: named } };
  // A key that is absent is not equal to any; where that means aws/s3, only a key that is there can be wrong.
  const there = keys.includes('aws/s3') ? { Null: { [KMS_KEY]: 'false' } } : {};
  return { StringEquals: { [ALGORITHM]: algorithm }, ...other, ...there };
}

const OWN_KEY = 'own';

function keysOf(encryptions: AskedEncryption[], mode: AskedEncryption['mode']): string[] {
  return encryptions
    .filter((encryption) => encryption.mode === mode)
    .map(({ key }) => key ?? OWN_KEY)
    .sort();
}

function deny(Sid: string, where: Where, Condition?: Condition): Statement {
  return { Sid, Effect: 'Deny', Principal: '*', Action: ['s3:PutObject'], ...where, ...(Condition && { Condition }) };
}
