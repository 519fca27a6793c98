/**
 * The condition keys that the judge knows. A key belongs here only when whoever asks the judge really gives it (or when the
 * sandbox truly never has it): any other one makes a policy an error, so that no condition is silently never met.
 */

/** `many`: several values in one request, so that policies must say `ForAllValues:` or `ForAnyValue:`. */
interface ConditionKey {
  /** As AWS writes it, and as requests name it. */
  name: string;
  many: boolean;
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and each service's page of the Service Authorization Reference */
const SINGLE = [
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalServiceName',
  'aws:PrincipalType',
  'aws:RequestedRegion',
  'aws:ResourceAccount',
  'aws:SecureTransport',
  'aws:SourceAccount',
  'aws:SourceArn',
  'aws:userid',
  'aws:username',
  'aws:ViaAWSService',
  // Nobody here is of an organization, nor comes through a VPC endpoint.
  'aws:PrincipalOrgID',
  'aws:SourceOrgID',
  'aws:SourceVpc',
  'aws:SourceVpce',
  'kms:CallerAccount',
  'kms:GrantIsForAWSResource',
  'kms:KeyOrigin',
  'kms:KeySpec',
  'kms:KeyUsage',
  'kms:RequestAlias',
  'kms:RotationPeriodInDays',
  'kms:ScheduleKeyDeletionPendingWindowInDays',
  'kms:ViaService',
  's3:authType',
  's3:delimiter',
  's3:if-match',
  's3:if-none-match',
  's3:max-keys',
  's3:ObjectCreationOperation',
  's3:prefix',
  's3:ResourceAccount',
  's3:signatureAge',
  's3:signatureversion',
  's3:TlsVersion',
  's3:VersionId',
  's3:x-amz-acl',
  's3:x-amz-copy-source',
  's3:x-amz-metadata-directive',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-server-side-encryption-customer-algorithm',
  's3:x-amz-storage-class',
  'secretsmanager:BlockPublicPolicy',
  'secretsmanager:ForceDeleteWithoutRecovery',
  'secretsmanager:RecoveryWindowInDays',
  'secretsmanager:SecretId',
  'secretsmanager:VersionId',
  'secretsmanager:VersionStage',
] as const;
const MANY = ['dynamodb:LeadingKeys', 'kms:EncryptionContextKeys', 'kms:ResourceAliases'] as const;
/** One key for each name that stands behind the prefix. */
const FAMILIES = ['kms:EncryptionContext:'] as const;

export type ConditionKeyName = (typeof SINGLE)[number] | (typeof MANY)[number] | `${(typeof FAMILIES)[number]}${string}`;

const BY_LOWER_CASE = new Map<string, ConditionKey>([
  ...SINGLE.map((name) => [name.toLowerCase(), { name, many: false }] as const),
  ...MANY.map((name) => [name.toLowerCase(), { name, many: true }] as const),
]);

/** Names are compared without case. `null`: not known. */
export function conditionKey(name: string): ConditionKey | null {
  const known = BY_LOWER_CASE.get(name.toLowerCase());
  if (known !== undefined) return known;
  const family = FAMILIES.find((prefix) => name.length > prefix.length && name.toLowerCase().startsWith(prefix.toLowerCase()));
  return family === undefined ? null : { name: `${family}${name.slice(family.length).toLowerCase()}`, many: false };
}
