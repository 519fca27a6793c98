import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import type { Settings } from '../../stack/settings.ts';
import { template } from '../../stack/template.ts';
import { BREAK_GLASS, documentOf, has, judged, plain, policyOf, propertiesOf, stackOf } from './stack.ts';

const ALL = ['IngestBucket', 'TargetBucket', 'AuditBucket'];
const ADMIN = `arn:aws:iam::${ACCOUNT_ID}:role/Admin`;

describe('buckets', () => {
  it.each(ALL)('%s is private, versioned and cleans up after itself', (id) => {
    const properties = propertiesOf(stackOf(), id);
    expect(properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    expect(JSON.stringify(properties.LifecycleConfiguration)).toContain('{"DaysAfterInitiation":7}');
  });

  it('keep old versions as long as is asked, and evidence for good', () => {
    const noncurrent = (id: string) =>
      /"NoncurrentDays":(\d+)/.exec(JSON.stringify(propertiesOf(stackOf(policyOf(), { noncurrentDays: 45 }), id)))?.[1];
    expect(ALL.map(noncurrent)).toEqual(['30', '45', undefined]);
  });

  it('encrypt by default: the ingest bucket without KMS, the others with a Bucket Key', () => {
    const byDefault = (id: string) => JSON.stringify(propertiesOf(stackOf(), id).BucketEncryption);
    expect(byDefault('IngestBucket')).toContain('{"SSEAlgorithm":"AES256"}');
    expect(byDefault('TargetBucket')).toContain('"BucketKeyEnabled":true');
    expect(byDefault('TargetBucket')).toContain('key/99999999');
    expect(byDefault('AuditBucket')).toContain('<OperationsKey.Arn>');
  });

  it('take SSE-C in the target alone, and only where a rule asks for it', () => {
    const blocked = (policy = policyOf()) =>
      ALL.map(
        (id) => /"BlockedEncryptionTypes":\{"EncryptionType":\["([^"]+)"\]/.exec(JSON.stringify(propertiesOf(stackOf(policy), id)))?.[1],
      );
    expect(blocked()).toEqual(['SSE-C', 'SSE-C', 'SSE-C']);
    expect(blocked(policyOf([{ match: { prefix: 'c/' }, encryption: { mode: 'sse-c' } }]))).toEqual(['SSE-C', 'NONE', 'SSE-C']);
  });

  it('lock evidence as the parameters say', () => {
    const settings: Partial<Settings> = { auditLockMode: 'COMPLIANCE', auditLockDays: 365 };
    expect(propertiesOf(stackOf(policyOf(), settings), 'AuditBucket')).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 365 } } },
    });
  });

  it('tell their queues what happens in them', () => {
    const events = (id: string) => {
      const { QueueConfigurations } = propertiesOf(stackOf(), id).NotificationConfiguration as {
        QueueConfigurations: { Event: string; Queue: string }[];
      };
      return QueueConfigurations.map(({ Event, Queue }) => [Event, Queue.split(':').at(-1)]);
    };
    expect(events('IngestBucket')).toEqual([['s3:ObjectCreated:*', `sealdrop-qa-ingest-${ACCOUNT_ID}-${REGION}`]]);
    const targetEvents = `sealdrop-qa-target-events-${ACCOUNT_ID}-${REGION}`;
    expect(events('TargetBucket')).toEqual([
      ['s3:ObjectCreated:*', targetEvents],
      ['s3:ObjectRemoved:*', targetEvents],
      ['s3:LifecycleExpiration:*', targetEvents],
    ]);
  });

  it('are not made, and get no policy, where they are brought', () => {
    const stack = stackOf(policyOf(), { ingestBucket: 'team-in', targetBucket: 'team-out', targetBucketOwner: '444455556666' });
    const gone = ['IngestBucket', 'IngestBucketPolicy', 'TargetBucket', 'TargetBucketPolicy'];
    expect(gone.filter((id) => has(stack, id))).toEqual([]);
    expect(plain(template(stack).Outputs)).toMatchObject({
      IngestBucketName: { Value: 'team-in' },
      TargetBucketName: { Value: 'team-out' },
      TargetBucketOwner: { Value: '444455556666' },
    });
  });
});

describe('evidence', () => {
  const bucket = `arn:aws:s3:::sealdrop-qa-audit-${ACCOUNT_ID}-${REGION}`;
  const guarded = ['s3:BypassGovernanceRetention', 's3:DeleteObjectVersion', 's3:PutObjectRetention', 's3:PutObjectLegalHold'];
  const may = (role: string, action: string, breakGlass: string[]) =>
    judged(documentOf(stackOf(policyOf(), { breakGlass }), 'AuditBucketPolicy', 'PolicyDocument'), {
      role,
      action,
      resource: `${bucket}/a`,
    }).allowed;

  it('is deleted and let go by break-glass alone', () => {
    expect(guarded.filter((action) => may(ADMIN, action, [BREAK_GLASS]))).toEqual([]);
    expect(guarded.filter((action) => may(BREAK_GLASS, action, [BREAK_GLASS]))).toEqual(guarded);
    expect(guarded.filter((action) => may(BREAK_GLASS, action, []))).toEqual([]);
  });

  it('is written and read as roles say', () => {
    expect(['s3:PutObject', 's3:GetObject'].filter((action) => may(ADMIN, action, []))).toEqual(['s3:PutObject', 's3:GetObject']);
  });
});

describe('reads past the API', () => {
  const traced = stackOf(policyOf(), { dataEvents: true });

  it('are recorded by CloudTrail in the audit bucket, if asked for', () => {
    expect(has(stackOf(), 'ReadsTrail')).toBe(false);
    expect(propertiesOf(traced, 'ReadsTrail')).toMatchObject({
      S3BucketName: '<AuditBucket>',
      KMSKeyId: '<OperationsKey>',
      IsLogging: true,
      EnableLogFileValidation: true,
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
            { Field: 'resources.ARN', StartsWith: [`arn:aws:s3:::sealdrop-qa-target-${ACCOUNT_ID}-${REGION}/`] },
            { Field: 'readOnly', Equals: ['true'] },
          ],
        },
      ],
    });
  });

  it('come from this trail alone', () => {
    const { Statement } = documentOf(traced, 'AuditBucketPolicy', 'PolicyDocument');
    const trail = `arn:aws:cloudtrail:${REGION}:${ACCOUNT_ID}:trail/sealdrop-qa-reads-${ACCOUNT_ID}-${REGION}`;
    const allowed = Statement.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      [['s3:GetBucketAcl'], { StringEquals: { 'aws:SourceArn': trail } }],
      [['s3:PutObject'], { StringEquals: { 'aws:SourceArn': trail } }],
    ]);
    expect(documentOf(stackOf(), 'AuditBucketPolicy', 'PolicyDocument').Statement.some(({ Effect }) => Effect === 'Allow')).toBe(false);
  });
});
