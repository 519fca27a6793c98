import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { template } from '../../stack/template.ts';
import { BREAK_GLASS, documentOf, has, judged, KEY_ARN, policyOf, propertiesOf, roleArn, STACK_KEY_ARN, stackOf } from './stack.ts';

const VIA_S3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com`, 'kms:CallerAccount': ACCOUNT_ID };
const ADMIN = `arn:aws:iam::${ACCOUNT_ID}:role/Admin`;
const NAMES = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'];

function keyOf(stack = stackOf(), id = 'Key') {
  const document = documentOf(stack, id, 'KeyPolicy');
  return (role: string, action: string, context: Record<string, string> = VIA_S3) =>
    judged(document, { role, action, resource: STACK_KEY_ARN, context }, 'key').allowed;
}

describe("the objects' key", () => {
  it('encrypts for encrypt and decrypts for download, by S3', () => {
    const may = keyOf();
    expect(NAMES.filter((name) => may(roleArn(name), 'kms:GenerateDataKey'))).toEqual(['encrypt']);
    expect(NAMES.filter((name) => may(roleArn(name), 'kms:Decrypt'))).toEqual(['encrypt', 'download']);
  });

  it('serves no role directly, nor one of another account', () => {
    const may = keyOf();
    expect(may(roleArn('encrypt'), 'kms:Decrypt', { 'kms:CallerAccount': ACCOUNT_ID })).toBe(false);
    expect(may(roleArn('encrypt'), 'kms:Decrypt', { ...VIA_S3, 'kms:ViaService': `sqs.${REGION}.amazonaws.com` })).toBe(false);
    expect(may(roleArn('encrypt'), 'kms:Decrypt', { ...VIA_S3, 'kms:CallerAccount': '999999999999' })).toBe(false);
  });

  it('is administered by the account and used by no administrator', () => {
    const may = keyOf();
    for (const action of ['kms:PutKeyPolicy', 'kms:DescribeKey', 'kms:DisableKey', 'kms:EnableKeyRotation', 'kms:TagResource']) {
      expect(may(ADMIN, action), action).toBe(true);
    }
    for (const action of ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:CreateGrant']) {
      expect(may(ADMIN, action), action).toBe(false);
    }
  });

  it.each([
    [7, false],
    [29, false],
    [30, true],
  ])('may be scheduled for deletion in %i days: %s', (days, allowed) => {
    expect(keyOf()(ADMIN, 'kms:ScheduleKeyDeletion', { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(days) })).toBe(allowed);
  });

  it('serves break-glass by S3, if there is one', () => {
    expect(keyOf()(BREAK_GLASS, 'kms:Decrypt')).toBe(false);
    const may = keyOf(stackOf(policyOf(), { breakGlass: [BREAK_GLASS] }));
    expect(may(BREAK_GLASS, 'kms:Decrypt')).toBe(true);
    expect(may(BREAK_GLASS, 'kms:Decrypt', {})).toBe(false);
  });

  it('encrypts for nobody where no rule uses it, and still decrypts', () => {
    const may = keyOf(stackOf(policyOf([], { mode: 'sse-s3' })));
    expect(NAMES.filter((name) => may(roleArn(name), 'kms:GenerateDataKey'))).toEqual([]);
    expect(NAMES.filter((name) => may(roleArn(name), 'kms:Decrypt'))).toEqual(['download']);
  });

  it('rotates, waits thirty days to be deleted, and outlives the stack with all that holds something, and what guards it', () => {
    expect(propertiesOf(stackOf(), 'Key')).toMatchObject({ EnableKeyRotation: true, PendingWindowInDays: 30 });
    const holders = ['Key', 'OperationsKey', 'CustomerKey', 'IngestBucket', 'TargetBucket', 'AuditBucket', 'AuditTable'];
    const guards = ['CustomerKeyPolicy', 'IngestBucketPolicy', 'TargetBucketPolicy', 'AuditBucketPolicy'];
    for (const id of [...holders, ...guards]) {
      expect(template(stackOf()).Resources?.[id], id).toMatchObject({
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
      });
    }
  });

  it('is not made where one is brought', () => {
    const stack = stackOf(policyOf(), { kmsKey: KEY_ARN });
    expect(['Key', 'KeyAlias'].filter((id) => has(stack, id))).toEqual([]);
    expect(template(stack).Outputs?.KeyArn?.Value).toBe(KEY_ARN);
    expect(JSON.stringify(template(stack))).not.toContain('"Key"');
  });
});

describe("operations' key", () => {
  const document = (dataEvents: boolean) => documentOf(stackOf(policyOf(), { dataEvents }), 'OperationsKey', 'KeyPolicy');

  it('lets alarms of this stack and key events be told', () => {
    const services = document(false).Statement.filter(({ Principal }) => typeof Principal === 'object' && 'Service' in Principal);
    expect(services.map(({ Sid, Condition }) => [Sid, Condition])).toEqual([
      [
        'AlarmsNotify',
        {
          StringEquals: { 'aws:SourceAccount': ACCOUNT_ID },
          ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:sealdrop-qa-*` },
        },
      ],
      ['KeyEventsNotify', undefined],
    ]);
  });

  it('encrypts the trail of reads only where there is one', () => {
    const sids = (dataEvents: boolean) => document(dataEvents).Statement.map(({ Sid }) => Sid);
    expect(sids(false)).not.toContain('TrailEncrypts');
    expect(sids(true)).toContain('TrailEncrypts');
  });

  it('is not made where one is brought, and used all the same', () => {
    const stack = stackOf(policyOf(), { operationsKey: KEY_ARN });
    expect(['OperationsKey', 'OperationsKeyAlias'].filter((id) => has(stack, id))).toEqual([]);
    expect(propertiesOf(stack, 'AlarmTopic').KmsMasterKeyId).toBe(KEY_ARN);
    expect(JSON.stringify(propertiesOf(stack, 'AuditBucket').BucketEncryption)).toContain(KEY_ARN);
    expect(JSON.stringify(template(stack))).not.toContain('"OperationsKey"');
  });

  const bucket = (what: string) => `arn:aws:s3:::sealdrop-qa-${what}-${ACCOUNT_ID}-${REGION}`;
  const forWhat = (arn: string) => ({ ...VIA_S3, 'kms:EncryptionContext:aws:s3:arn': arn });

  it('is used by people through S3 alone', () => {
    const may = keyOf(stackOf(), 'OperationsKey');
    expect(may(ADMIN, 'kms:Decrypt', forWhat(bucket('audit')))).toBe(true);
    const directly = { 'kms:CallerAccount': ACCOUNT_ID, 'kms:EncryptionContext:aws:s3:arn': bucket('audit') };
    expect(may(ADMIN, 'kms:Decrypt', directly)).toBe(false);
  });

  it.each(['kms:Decrypt', 'kms:GenerateDataKey'])('serves the audit bucket and its objects alone: %s', (action) => {
    const may = keyOf(stackOf(), 'OperationsKey');
    for (const arn of [bucket('audit'), `${bucket('audit')}/AWSLogs/a`]) expect(may(ADMIN, action, forWhat(arn)), arn).toBe(true);
    for (const arn of [bucket('target'), `${bucket('ingest')}/a`, `${bucket('audit')}-2/a`]) {
      expect(may(ADMIN, action, forWhat(arn)), arn).toBe(false);
    }
    expect(may(ADMIN, action, VIA_S3)).toBe(false);
  });
});

describe('the customer key', () => {
  const policy = policyOf([], { mode: 'sse-c' });
  const readers = (stack = stackOf(policy)) => {
    const document = documentOf(stack, 'CustomerKeyPolicy', 'ResourcePolicy');
    const resource = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:key-AbC123`;
    return [...NAMES.map(roleArn), ADMIN, BREAK_GLASS].filter(
      (role) => judged(document, { role, action: 'secretsmanager:GetSecretValue', resource }).allowed,
    );
  };

  it('is read by the functions that use it and by break-glass alone', () => {
    expect(readers()).toEqual([roleArn('encrypt'), roleArn('download')]);
    expect(readers(stackOf())).toEqual([roleArn('download')]);
    expect(readers(stackOf(policy, { breakGlass: [BREAK_GLASS] }))).toEqual([roleArn('encrypt'), roleArn('download'), BREAK_GLASS]);
  });

  const may = (breakGlass: string[]) => {
    const document = documentOf(stackOf(policy, { breakGlass }), 'CustomerKeyPolicy', 'ResourcePolicy');
    const resource = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:key-AbC123`;
    return (role: string, action: string, context: Record<string, string> = {}) =>
      judged(document, { role, action: `secretsmanager:${action}`, resource, context }).allowed;
  };

  it('is changed, moved and replicated by break-glass alone', () => {
    const changes = ['PutSecretValue', 'ReplicateSecretToRegions', 'RotateSecret', 'UpdateSecretVersionStage'];
    const allowed = (role: string, breakGlass: string[]) => changes.filter((action) => may(breakGlass)(role, action));
    expect(allowed(BREAK_GLASS, [BREAK_GLASS])).toEqual(changes);
    expect(allowed(BREAK_GLASS, [])).toEqual([]);
    for (const role of [ADMIN, roleArn('encrypt'), roleArn('download')]) expect(allowed(role, [BREAK_GLASS])).toEqual([]);
  });

  const FORCE = 'secretsmanager:ForceDeleteWithoutRecovery';
  const DAYS = 'secretsmanager:RecoveryWindowInDays';
  it.each([
    [{}, true],
    [{ [FORCE]: 'false' }, true],
    [{ [FORCE]: 'true' }, false],
    [{ [DAYS]: '7' }, false],
    [{ [DAYS]: '29' }, false],
    [{ [DAYS]: '30', [FORCE]: 'false' }, true],
  ])('is deleted after thirty days at the earliest, whoever asks: %j is allowed: %s', (context, allowed) => {
    for (const role of [ADMIN, BREAK_GLASS]) expect(may([BREAK_GLASS])(role, 'DeleteSecret', context)).toBe(allowed);
  });

  it('never gets a new value by a deployment: what generates it is fixed', () => {
    expect(propertiesOf(stackOf(), 'CustomerKey').GenerateSecretString).toEqual({
      PasswordLength: 64,
      ExcludePunctuation: true,
      ExcludeUppercase: true,
      ExcludeCharacters: 'ghijklmnopqrstuvwxyz',
      RequireEachIncludedType: false,
    });
  });

  it('is not made where one is brought', () => {
    const customerKeySecret = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:team-AbC123`;
    const stack = stackOf(policy, { customerKeySecret });
    expect(['CustomerKey', 'CustomerKeyPolicy'].filter((id) => has(stack, id))).toEqual([]);
    expect(template(stack).Outputs?.CustomerKeySecret?.Value).toBe(customerKeySecret);
  });
});
