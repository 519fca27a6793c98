import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import type { Settings } from '../../stack/settings.ts';
import { template } from '../../stack/template.ts';
import { BREAK_GLASS, documentOf, has, judged, plain, policyOf, propertiesOf, roleArn, stackOf } from './stack.ts';

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
    const stack = stackOf(policyOf(), {
      ingestBucket: 'team-in',
      targetBucket: 'team-out',
      targetBucketOwner: '444455556666',
      auditBucket: 'team-evidence',
    });
    const gone = ['IngestBucket', 'IngestBucketPolicy', 'TargetBucket', 'TargetBucketPolicy', 'AuditBucket', 'AuditBucketPolicy'];
    expect(gone.filter((id) => has(stack, id))).toEqual([]);
    expect(plain(template(stack).Outputs)).toMatchObject({
      IngestBucketName: { Value: 'team-in' },
      TargetBucketName: { Value: 'team-out' },
      TargetBucketOwner: { Value: '444455556666' },
      AuditBucketName: { Value: 'team-evidence' },
    });
  });
});

describe('the ingest bucket', () => {
  const bucket = `arn:aws:s3:::sealdrop-qa-ingest-${ACCOUNT_ID}-${REGION}`;
  const scanner = `arn:aws:iam::${ACCOUNT_ID}:role/scanner`;
  const names = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'];
  const roles = [...names.map(roleArn), ADMIN, BREAK_GLASS, scanner];
  const who = (action: string, settings: Partial<Settings>) => {
    const document = documentOf(stackOf(policyOf(), settings), 'IngestBucketPolicy', 'PolicyDocument');
    return roles.filter((role) => judged(document, { role, action, resource: `${bucket}/a` }).allowed);
  };

  it.each([
    ['s3:GetObject', [roleArn('encrypt')]],
    ['s3:GetObjectVersion', [roleArn('encrypt')]],
    ['s3:GetObjectAttributes', []],
    ['s3:GetObjectVersionForReplication', []],
  ])('gives bytes to encrypt where it has a right, and else to those who are named: %s', (action, functions) => {
    expect(who(action, {})).toEqual(functions);
    expect(who(action, { breakGlass: [BREAK_GLASS] })).toEqual([...functions, BREAK_GLASS]);
    expect(who(action, { breakGlass: [BREAK_GLASS], ingestReaders: [scanner] })).toEqual([...functions, BREAK_GLASS, scanner]);
  });

  it.each([
    's3:PutObject',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:PutObjectTagging',
  ])('is written, and cleared of sources, as roles say: %s', (action) => {
    expect(who(action, {})).toEqual(roles);
  });

  it('has versions where sources are deleted, since they are deleted by version id alone', () => {
    const stack = stackOf({ ...policyOf(), source: 'delete' });
    expect(propertiesOf(stack, 'IngestBucket').VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(propertiesOf(stack, 'IngestBucket')).not.toHaveProperty('ObjectLockConfiguration');
  });

  it('lets its readers read nothing of the target bucket', () => {
    const document = documentOf(stackOf(policyOf(), { ingestReaders: [scanner] }), 'TargetBucketPolicy', 'PolicyDocument');
    const resource = `arn:aws:s3:::sealdrop-qa-target-${ACCOUNT_ID}-${REGION}/a`;
    expect(judged(document, { role: scanner, action: 's3:GetObject', resource }).allowed).toBe(false);
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

  it('is deleted and let go by nobody, break-glass among them', () => {
    for (const role of [ADMIN, BREAK_GLASS]) expect(guarded.filter((action) => may(role, action, [BREAK_GLASS]))).toEqual([]);
  });

  it('can be let go by whoever changes the policy first', () => {
    for (const action of ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy']) expect(may(ADMIN, action, [])).toBe(true);
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
      S3BucketName: `sealdrop-qa-audit-${ACCOUNT_ID}-${REGION}`,
      KMSKeyId: '<OperationsKey>',
      IsLogging: true,
      EnableLogFileValidation: true,
      AdvancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Data'] },
            { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
            {
              Field: 'resources.ARN',
              StartsWith: ['ingest', 'target'].map((what) => `arn:aws:s3:::sealdrop-qa-${what}-${ACCOUNT_ID}-${REGION}/`),
            },
            { Field: 'readOnly', Equals: ['true'] },
          ],
        },
      ],
    });
  });

  it('are recorded in a brought bucket under a brought key', () => {
    const operationsKey = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/77777777-2222-3333-4444-555555555555`;
    const stack = stackOf(policyOf(), { dataEvents: true, auditBucket: 'team-evidence', operationsKey });
    expect(propertiesOf(stack, 'ReadsTrail')).toMatchObject({ S3BucketName: 'team-evidence', KMSKeyId: operationsKey });
    expect(template(stack).Resources?.ReadsTrail).not.toHaveProperty('DependsOn');
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
