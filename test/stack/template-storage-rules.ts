/** What a security reviewer asks of buckets, keys, secrets, tables, queues and topics. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { deadLetterQueues } from './template-dead-letters.ts';
import { covers, type PolicyKind, policiesOf, type Statement } from './template-policies.ts';
import type { Rule } from './template-rules.ts';
import { type Found, list, ofType, record } from './template-values.ts';

const BUCKET = 'AWS::S3::Bucket';
const QUEUE = 'AWS::SQS::Queue';
/** What is lost for good with what holds it. */
const HOLDERS = [BUCKET, 'AWS::KMS::Key', 'AWS::DynamoDB::Table', 'AWS::SecretsManager::Secret'];
/** Policies that are resources of their own. */
const GUARDS = ['AWS::S3::BucketPolicy', 'AWS::SecretsManager::ResourcePolicy'];
const BLOCKS = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'];

export const STORAGE_RULES: Record<string, Rule> = {
  'buckets are closed to the public': each(BUCKET, ({ PublicAccessBlockConfiguration }) =>
    BLOCKS.every((name) => isOn(record(PublicAccessBlockConfiguration)[name])),
  ),
  'buckets own their objects': each(BUCKET, ({ OwnershipControls }) => {
    const rules = list(record(OwnershipControls).Rules).map((rule) => record(rule).ObjectOwnership);
    return rules.length === 1 && rules[0] === 'BucketOwnerEnforced';
  }),
  'buckets keep versions': each(BUCKET, ({ VersioningConfiguration }) => record(VersioningConfiguration).Status === 'Enabled'),
  'buckets encrypt': each(BUCKET, ({ BucketEncryption }) => {
    const rules = list(record(BucketEncryption).ServerSideEncryptionConfiguration).map(record);
    const [algorithm] = rules.map(({ ServerSideEncryptionByDefault }) => record(ServerSideEncryptionByDefault).SSEAlgorithm);
    return algorithm === 'AES256' || (algorithm !== undefined && rules.every(({ BucketKeyEnabled }) => isOn(BucketKeyEnabled)));
  }),
  'buckets clear away unfinished uploads and old versions': each(BUCKET, ({ LifecycleConfiguration }) => {
    const rules = list(record(LifecycleConfiguration).Rules).map(record);
    const enabled = rules.filter(({ Status, Prefix }) => Status === 'Enabled' && (Prefix === undefined || Prefix === ''));
    return ['AbortIncompleteMultipartUpload', 'NoncurrentVersionExpiration'].every((name) => enabled.some((rule) => name in rule));
  }),
  'buckets take TLS alone': (template) =>
    missing(template, BUCKET, 'bucket', (statement, bucket) => {
      const whole = statement.resources.some((resource) => isBucket(resource, bucket));
      const objects = statement.resources.some((resource) => resource.endsWith('/*') && isBucket(resource.slice(0, -2), bucket));
      return isPlainDeny(statement, 's3:*') && whole && objects && refusesPlainHttp(statement);
    }),
  'buckets take TLS 1.2 at least': (template) =>
    missing(template, BUCKET, 'bucket', (statement) => {
      const [condition, ...others] = statement.conditions;
      const old = condition?.operator === 'NumericLessThan' && condition.key === 's3:TlsVersion' && condition.values[0] === '1.2';
      return isPlainDeny(statement, 's3:*') && old && others.length === 0;
    }),

  'queues encrypt': each(QUEUE, ({ SqsManagedSseEnabled, KmsMasterKeyId }) => isOn(SqsManagedSseEnabled) || KmsMasterKeyId !== undefined),
  'queues take TLS alone': (template) =>
    missing(template, QUEUE, 'queue', (statement) => isPlainDeny(statement, 'sqs:*') && refusesPlainHttp(statement)),
  'queues have dead letters': (template) => {
    const last = deadLetterQueues(template).map(({ logicalId }) => logicalId);
    return ofType(template, QUEUE)
      .filter(
        ({ logicalId, properties }) => !last.includes(logicalId) && record(properties.RedrivePolicy).deadLetterTargetArn === undefined,
      )
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} drops or repeats what fails` }));
  },

  // CloudWatch and EventBridge cannot use alias/aws/sns: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  'topics encrypt under a key that alarms may use': each(
    'AWS::SNS::Topic',
    ({ KmsMasterKeyId }) => KmsMasterKeyId !== undefined && KmsMasterKeyId !== 'alias/aws/sns',
  ),
  'topics take TLS alone': (template) =>
    missing(template, 'AWS::SNS::Topic', 'topic', (statement) => isPlainDeny(statement, 'sns:Publish') && refusesPlainHttp(statement)),

  'tables encrypt and can be restored': each('AWS::DynamoDB::Table', (properties) => {
    const restorable = record(properties.PointInTimeRecoverySpecification).PointInTimeRecoveryEnabled;
    return isOn(record(properties.SSESpecification).SSEEnabled) && isOn(restorable);
  }),
  // A first deployment that failed could not take its table back, and its name would be taken at the next one.
  'a failed deployment takes its table back': each(
    'AWS::DynamoDB::Table',
    ({ DeletionProtectionEnabled }) => !isOn(DeletionProtectionEnabled),
  ),
  'what a table holds is never changed': (template) =>
    ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:PartiQLUpdate', 'dynamodb:PartiQLDelete'].flatMap((action) =>
      missing(
        template,
        'AWS::DynamoDB::Table',
        'table',
        (statement) => isPlainDeny(statement, action) && statement.conditions.length === 0,
      ),
    ),
  'keys rotate': each('AWS::KMS::Key', ({ EnableKeyRotation }) => isOn(EnableKeyRotation)),
  'keys wait 30 days before they are gone': each('AWS::KMS::Key', ({ PendingWindowInDays }) => String(PendingWindowInDays) === '30'),
  'secrets are read by those who are named': (template) =>
    missing(template, 'AWS::SecretsManager::Secret', 'secret', (statement) => {
      const named = statement.conditions.some(({ operator, key }) => operator === 'ArnNotEquals' && key === 'aws:PrincipalArn');
      return isPlainDeny(statement, 'secretsmanager:GetSecretValue') && named;
    }),
  'secrets wait 30 days before they are gone': (template) =>
    missing(
      template,
      'AWS::SecretsManager::Secret',
      'secret',
      refusesBy('Bool', 'secretsmanager:ForceDeleteWithoutRecovery', 'true'),
    ).concat(
      missing(template, 'AWS::SecretsManager::Secret', 'secret', refusesBy('NumericLessThan', 'secretsmanager:RecoveryWindowInDays', '30')),
    ),
  'what holds data outlives the stack': (template) =>
    HOLDERS.flatMap((type) => ofType(template, type))
      .filter((resource) => !isRetained(resource))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} is deleted or replaced with all that it holds` })),
  'what guards a retained resource is retained': (template) => {
    const holders = HOLDERS.flatMap((type) => ofType(template, type)).filter(isRetained);
    const guarding = policiesOf(template).filter(({ attachedTo }) => holders.some((holder) => attachedTo.some(names(holder))));
    const guards = new Set(guarding.map(({ logicalId }) => logicalId));
    return GUARDS.flatMap((type) => ofType(template, type))
      .filter((resource) => guards.has(resource.logicalId) && !isRetained(resource))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} is deleted, and what it guards stays` }));
  },
};

/** A rule about every resource of a type by itself. */
function each(type: string, holds: (properties: Record<string, unknown>) => boolean): Rule {
  return (template) =>
    ofType(template, type)
      .filter(({ properties }) => !holds(properties))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} does not` }));
}

/** A rule that every resource of a type has a statement like this in its policy. */
function missing(template: Template, type: string, kind: PolicyKind, holds: (statement: Statement, resource: Found) => boolean) {
  const policies = policiesOf(template).filter((policy) => policy.kind === kind);
  return ofType(template, type)
    .filter((resource) => {
      const own = policies.filter(({ attachedTo }) => attachedTo.some(names(resource)));
      return !own.some(({ statements }) => statements.some((statement) => holds(statement, resource)));
    })
    .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} does not` }));
}

/** Whether a policy that is attached to this is attached to the resource. */
function names({ logicalId, properties }: Found): (holder: string) => boolean {
  return (holder) => holder === logicalId || holder === `<${logicalId}>` || holder === properties.BucketName;
}

function isRetained({ resource: { DeletionPolicy, UpdateReplacePolicy } }: Found): boolean {
  return (DeletionPolicy === 'Retain' || DeletionPolicy === 'RetainExceptOnCreate') && UpdateReplacePolicy === 'Retain';
}

function isPlainDeny({ effect, principals, actions }: Statement, action: string): boolean {
  return effect === 'Deny' && principals.includes('*') && actions.some((written) => covers(written, action));
}

function refusesPlainHttp({ conditions }: Statement): boolean {
  const [condition, ...others] = conditions;
  return (
    condition?.operator === 'Bool' && condition.key === 'aws:SecureTransport' && condition.values[0] === 'false' && others.length === 0
  );
}

/** A refusal of DeleteSecret for whoever says this of its time. */
function refusesBy(operator: string, key: string, value: string): (statement: Statement) => boolean {
  return (statement) => {
    const [condition, ...others] = statement.conditions;
    const said = condition?.operator === operator && condition.key === key && condition.values.join() === value;
    return isPlainDeny(statement, 'secretsmanager:DeleteSecret') && said && others.length === 0;
  };
}

function isBucket(resource: string, { logicalId, properties }: Found): boolean {
  return resource === `<${logicalId}.Arn>` || [`<${logicalId}>`, properties.BucketName].some((name) => resource === `arn:aws:s3:::${name}`);
}

function isOn(value: unknown): boolean {
  return String(value) === 'true';
}
