/** Bucket policies: parsed once, and refused as S3 refuses what could never apply. */
import { ACCOUNT_ID, PARTITION } from '../../account.ts';
import { AwsError } from '../../aws-error.ts';
import { conditionKey } from '../../iam/condition-keys.ts';
import { type PolicyDocument, PolicyError, parsePolicy, type Statement } from '../../iam/policy.ts';
import { grantsPublicAccess } from '../../iam/public.ts';
import { bucketArn } from '../encryption/mode.ts';
import { accessDenied } from '../errors.ts';
import { ACTIONS_OF_KEYS, BUCKET_ACTIONS, OBJECT_ACTIONS } from './actions.ts';

const MAX_POLICY_BYTES = 20 * 1024;
/** Of other accounts, and of sessions, nothing is known here. */
const OWN_PRINCIPAL = `arn:${PARTITION}:iam::${ACCOUNT_ID}:`;

export interface BucketPolicy {
  /** As it was put. */
  text: string;
  document: PolicyDocument;
}

/**
 * Parses a policy for a bucket. Throws AwsError `MalformedPolicy`: for elements, operators and condition keys that are not known, by
 * name, and for statements that cannot apply to this bucket.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
 */
export function parseBucketPolicy(bucket: string, text: string): BucketPolicy {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    throw malformed(`Normalized policy document exceeds the maximum allowed size of ${MAX_POLICY_BYTES} bytes.`);
  }
  if (!text.trimStart().startsWith('{')) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  const document = parse(text);
  for (const statement of document.statements) checkStatement(bucket, statement);
  return { text, document };
}

/**
 * Refuses a policy that names a user or role of this account which is not there, so that a stack must make its roles first.
 * @param exists of an ARN of IAM
 * Throws AwsError `MalformedPolicy`.
 * @see https://repost.aws/knowledge-center/s3-invalid-principal-in-policy-error
 */
export function refuseUnknownPrincipals({ document }: BucketPolicy, exists: (arn: string) => boolean): void {
  for (const { principals } of document.statements) {
    for (const arn of principals?.arns ?? [])
      if (arn.startsWith(OWN_PRINCIPAL) && !exists(arn)) throw malformed('Invalid principal in policy');
  }
}

/**
 * Refuses a policy that lets the world in, where public policies are blocked.
 * @param principalArn who puts it
 * Throws AwsError `AccessDenied`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export function refusePublic(bucket: string, { document }: BucketPolicy, principalArn: string): void {
  if (!grantsPublicAccess(document)) return;
  throw accessDenied(
    `User: ${principalArn} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(bucket)}" ` +
      'because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
  );
}

function checkStatement(bucket: string, { actions, resources, conditions }: Statement): void {
  const arn = bucketArn(bucket);
  const patterns = resources?.patterns ?? [];
  if (!patterns.every((pattern) => pattern === arn || pattern.startsWith(`${arn}/`))) throw malformed('Policy has invalid resource');
  if (actions.not) return;
  const known = [...BUCKET_ACTIONS, ...OBJECT_ACTIONS];
  for (const pattern of actions.patterns) {
    const meant = known.filter((action) => matches(pattern, action));
    if (meant.length === 0) throw malformed(`Policy has invalid action: ${pattern}`);
    if (!resources?.not) checkResources(meant, patterns, arn);
    for (const { key } of conditions) checkKey(key, meant);
  }
}

/** An action on buckets needs the bucket among the resources, one on objects something below it. */
function checkResources(meant: readonly string[], patterns: readonly string[], arn: string): void {
  const applies = meant.some((action) => patterns.some((pattern) => (pattern === arn ? BUCKET_ACTIONS : OBJECT_ACTIONS).has(action)));
  if (!applies) throw malformed('Action does not apply to any resource(s) in statement');
}

/** Unverified for several actions of which some take the key: here each named one must, and of a wildcard's at least one. */
function checkKey(key: string, meant: readonly string[]): void {
  const taking = ACTIONS_OF_KEYS.get(conditionKey(key)?.name ?? key);
  if (taking === undefined || meant.some((action) => taking.has(action))) return;
  throw malformed('Conditions do not apply to combination of actions and resources in statement');
}

function matches(pattern: string, action: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'i').test(action);
}

function parse(text: string): PolicyDocument {
  try {
    return parsePolicy(text, 'resource');
  } catch (error) {
    if (error instanceof PolicyError) throw malformed(error.message);
    throw error;
  }
}

function malformed(message: string): AwsError {
  return new AwsError(400, 'MalformedPolicy', message);
}
