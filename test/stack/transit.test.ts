/** What `transit: true` adds to the stack, and what it leaves as it was. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { policySchema } from '../../src/policy/schema.ts';
import type { Statement } from '../../stack/cloudformation.ts';
import { environment } from '../../stack/environment.ts';
import { FUNCTIONS, functionsOf } from '../../stack/names.ts';
import { rightsOf } from '../../stack/rights.ts';
import type { Settings } from '../../stack/settings.ts';
import { template } from '../../stack/template.ts';
import { TIMEOUTS } from '../../stack/timeouts.ts';
import { transitFunction } from '../../stack/transit-function.ts';
import { BREAK_GLASS, documentOf, judged, KEY_ARN, plain, propertiesOf, roleArn, STACK_KEY_ARN, stackOf } from './stack.ts';

const BUCKET = `arn:aws:s3:::sealdrop-qa-transit-${ACCOUNT_ID}-${REGION}`;
const TARGET = `arn:aws:s3:::sealdrop-qa-target-${ACCOUNT_ID}-${REGION}`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:sealdrop-qa-transit-${ACCOUNT_ID}-${REGION}`;
const ALGORITHM = 's3:x-amz-server-side-encryption';
const KMS_KEY = 's3:x-amz-server-side-encryption-aws-kms-key-id';
const ADMIN = `arn:aws:iam::${ACCOUNT_ID}:role/Admin`;

const policyOf = (transit: boolean) =>
  policySchema.parse({
    version: 1,
    rules: [{ match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } }],
    default: { encryption: { mode: 'sse-kms' } },
    downloads: [{ under: ['cards/'], transit }],
  });
const withTransit = (settings: Partial<Settings> = {}) => stackOf(policyOf(true), settings);
const without = (settings: Partial<Settings> = {}) => stackOf(policyOf(false), settings);

describe('a stack whose policy allows no copies in transit', () => {
  it('has nothing of them', () => {
    expect(JSON.stringify(template(without({ dataEvents: true })))).not.toMatch(/transit|MaxStreamedBytes/i);
    expect(transitFunction(without(), {})).toBeNull();
    expect(functionsOf(without())).toEqual([...FUNCTIONS]);
    expect(JSON.stringify(environment(without()))).not.toMatch(/TRANSIT|MAX_STREAMED/);
  });

  it('has all else as one whose policy does, but for what lets download and transit in and what watches them', () => {
    const [more, less] = [template(withTransit()), template(without())];
    const changed = Object.keys(less.Resources ?? {}).filter(
      (id) => JSON.stringify(less.Resources?.[id]) !== JSON.stringify(more.Resources?.[id]),
    );
    expect(changed.sort()).toEqual([
      // transit records, reads versions and the key's value, and uses the key of the stack.
      'AuditTable',
      'BucketChangeRule',
      'CustomerKeyPolicy',
      'Dashboard',
      'DownloadRole',
      'FunctionChangeRule',
      'Key',
      'QueueChangeRule',
      'TargetBucketPolicy',
    ]);
  });
});

describe('the transit bucket', () => {
  const document = documentOf(withTransit({ breakGlass: [BREAK_GLASS] }), 'TransitBucketPolicy', 'PolicyDocument');
  const may = (role: string, action: string, context: Record<string, string> = {}) =>
    judged(document, { role, action, resource: `${BUCKET}/0123`, context }).allowed;

  it('is private, without versions, under the key of the stack, and forgets what is left in it', () => {
    const { VersioningConfiguration, ...properties } = propertiesOf(withTransit(), 'TransitBucket');
    expect(VersioningConfiguration).toBeUndefined();
    expect(properties).toEqual({
      BucketName: `sealdrop-qa-transit-${ACCOUNT_ID}-${REGION}`,
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: STACK_KEY_ARN },
          },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'abort-unfinished-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
          { Id: 'expire-copies', Status: 'Enabled', ExpirationInDays: 1 },
        ],
      },
    });
  });

  it('goes with the stack, and its policy stays where it cannot', () => {
    const { TransitBucket, TransitBucketPolicy } = template(withTransit()).Resources ?? {};
    expect([TransitBucket?.DeletionPolicy, TransitBucketPolicy?.DeletionPolicy]).toEqual([undefined, 'RetainExceptOnCreate']);
  });

  it('is read by download and transit alone, break-glass left out', () => {
    const readers = [...functionsOf(withTransit()).map(roleArn), ADMIN, BREAK_GLASS].filter((role) => may(role, 's3:GetObject'));
    expect(readers).toEqual([roleArn('download'), roleArn('transit')]);
    for (const action of ['s3:GetObjectVersion', 's3:GetObjectAttributes']) expect(may(roleArn('transit'), action)).toBe(false);
  });

  it.each([
    ['nothing', {}, false],
    ['SSE-S3', { [ALGORITHM]: 'AES256' }, false],
    ['KMS without a key', { [ALGORITHM]: 'aws:kms' }, false],
    ['another key', { [ALGORITHM]: 'aws:kms', [KMS_KEY]: KEY_ARN }, false],
    ['DSSE-KMS', { [ALGORITHM]: 'aws:kms:dsse', [KMS_KEY]: STACK_KEY_ARN }, false],
    ['the key of the stack', { [ALGORITHM]: 'aws:kms', [KMS_KEY]: STACK_KEY_ARN }, true],
  ])('is written by transit alone, and %s is taken: %o', (_what, headers, taken) => {
    const writers = [...functionsOf(withTransit()).map(roleArn), ADMIN, BREAK_GLASS].filter((role) => may(role, 's3:PutObject', headers));
    expect(writers).toEqual(taken ? [roleArn('transit')] : []);
  });

  it('lets keys and replicas be changed by nobody, and copies be deleted by whoever removes the stack', () => {
    for (const action of ['s3:UpdateObjectEncryption', 's3:ReplicateObject']) expect(may(ADMIN, action)).toBe(false);
    expect(may(ADMIN, 's3:DeleteObject')).toBe(true);
  });
});

describe('the rights', () => {
  it('of download are those of before, and to look for copies and order them', () => {
    const added = rightsOf(withTransit()).download.filter(({ sid }) => !rightsOf(without()).download.some((held) => held.sid === sid));
    expect(plain(added)).toEqual([
      { sid: 'ReadCopies', actions: ['s3:GetObject'], resources: [`${BUCKET}/*`] },
      { sid: 'LookForCopies', actions: ['s3:ListBucket'], resources: [BUCKET] },
      { sid: 'OrderCopies', actions: ['sqs:SendMessage'], resources: [QUEUE] },
    ]);
  });

  it('of transit are its calls: versions of the target, copies, its queue', () => {
    const { transit } = rightsOf(withTransit());
    const on = (resource: string) =>
      transit
        .filter(({ resources }) => (plain(resources) as string[]).includes(resource))
        .flatMap(({ actions }) => actions)
        .sort();
    expect(on(`${TARGET}/*`)).toEqual(['s3:GetObjectVersion', 's3:GetObjectVersionTagging']);
    expect(on(`${BUCKET}/*`)).toEqual([
      's3:AbortMultipartUpload',
      's3:DeleteObject',
      's3:GetObject',
      's3:PutObject',
      's3:PutObjectTagging',
    ]);
    expect(on(BUCKET)).toEqual(['s3:ListBucket', 's3:ListBucketMultipartUploads']);
    expect(on(STACK_KEY_ARN)).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    expect(plain(transit.find(({ sid }) => sid === 'EncryptByS3')?.condition)).toEqual({
      StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': BUCKET },
    });
    expect(on(QUEUE)).toContain('sqs:SendMessage');
  });

  it('of nobody else change', () => {
    const [more, less] = [rightsOf(withTransit()), rightsOf(without())];
    for (const name of FUNCTIONS) if (name !== 'download') expect(more[name]).toEqual(less[name]);
    expect(less.transit).toEqual([]);
  });

  it('reach the key of the stack by S3 alone', () => {
    const { KeyPolicy } = propertiesOf(withTransit(), 'Key') as { KeyPolicy: { Statement: Statement[] } };
    expect(KeyPolicy.Statement.find(({ Sid }) => Sid === 'TransitByS3')).toMatchObject({
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Condition: {
        StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` },
        ArnEquals: { 'aws:PrincipalArn': [roleArn('transit')] },
      },
    });
  });
});

describe('what feeds and watches it', () => {
  it('is a queue with dead letters that nobody but roles of the account can send to', () => {
    expect(propertiesOf(withTransit(), 'TransitQueue')).toMatchObject({
      VisibilityTimeout: 6 * TIMEOUTS.transit,
      RedrivePolicy: { maxReceiveCount: 5 },
      SqsManagedSseEnabled: true,
    });
    const statements = documentOf(withTransit(), 'TransitQueuePolicy', 'PolicyDocument').Statement;
    expect(statements.map(({ Sid, Effect }) => [Sid, Effect])).toEqual([['OnlyByTls', 'Deny']]);
  });

  it('are the alarms that the other functions and queues have', () => {
    const ids = Object.keys(template(withTransit()).Resources ?? {}).filter((id) => /^Transit.*Alarm$/.test(id));
    expect(ids.sort()).toEqual([
      'TransitDeadLettersAlarm',
      'TransitErrorsAlarm',
      'TransitNearTimeOutAlarm',
      'TransitQueueIsLateAlarm',
      'TransitThrottlesAlarm',
    ]);
  });

  it('are the rules about changes, the dashboard, and the record of reads', () => {
    const text = (id: string) => JSON.stringify(propertiesOf(withTransit({ dataEvents: true }), id));
    expect(text('BucketChangeRule')).toContain('sealdrop-qa-transit-');
    expect(text('FunctionChangeRule')).toContain('sealdrop-qa-transit');
    expect(text('QueueChangeRule')).toContain('sealdrop-qa-transit-dead-letters-');
    expect(text('Dashboard')).toContain('sealdrop-qa-transit');
    expect(text('ReadsTrail')).toContain(`${BUCKET}/`);
  });

  it('takes one message at a time, and reports it', () => {
    expect(transitFunction(withTransit(), { A: 'b' })).toMatchObject({
      handler: 'handlers/transit.handler',
      role: 'TransitRole',
      timeout: 300,
      environment: { A: 'b' },
      events: [{ sqs: { batchSize: 1, functionResponseType: 'ReportBatchItemFailures' } }],
    });
  });
});
