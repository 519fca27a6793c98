import { CloudFormationClient, DescribeStacksCommand, type Output } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, test } from 'vitest';
import { CannotLook } from '../../../cli/cannot-look.ts';
import { bucketArn, isOwnBucket, otherStage, queueArn, roleArn } from '../../../cli/doctor/names.ts';
import { describeStack } from '../../../cli/stack.ts';
import { refusal, STACK } from './world.ts';

const OUTPUTS: Record<string, string> = {
  IngestBucketName: 'ingest',
  TargetBucketName: 'target',
  TargetBucketOwner: '222222222222',
  AuditBucketName: 'audit',
  AuditTableName: 'table',
  IngestQueueUrl: 'q1',
  DeadLetterQueueUrl: 'q2',
  TargetEventsQueueUrl: 'q3',
  TargetEventsDeadLetterQueueUrl: 'q4',
  KeyArn: 'key',
  CustomerKeySecret: 'secret',
  PolicyFingerprint: 'f',
};

function answering(outputs: Record<string, string>, StackStatus: 'CREATE_COMPLETE' | 'UPDATE_ROLLBACK_IN_PROGRESS' = 'CREATE_COMPLETE') {
  const client = new CloudFormationClient({ region: 'eu-central-1' });
  const Outputs: Output[] = Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
  const stack = {
    StackName: 'sealdrop-prod',
    StackId: 'arn:aws-cn:cloudformation:cn-north-1:111111111111:stack/sealdrop-prod/1',
    StackStatus,
  };
  mockClient(client)
    .on(DescribeStacksCommand)
    .resolves({ Stacks: [{ ...stack, CreationTime: new Date(0), Outputs }] });
  return client;
}

function refusing(error: Error) {
  const client = new CloudFormationClient({ region: 'eu-central-1' });
  mockClient(client).rejects(error);
  return client;
}

describe('a stack', () => {
  test('says every name, and where it is', async () => {
    expect(await describeStack(answering({ ...OUTPUTS, ServiceEndpoint: 'https://api' }), 'sealdrop-prod')).toEqual({
      name: 'sealdrop-prod',
      stage: 'prod',
      status: 'CREATE_COMPLETE',
      region: 'cn-north-1',
      account: '111111111111',
      partition: 'aws-cn',
      apiUrl: 'https://api',
      ingestBucket: 'ingest',
      targetBucket: 'target',
      targetBucketOwner: '222222222222',
      auditBucket: 'audit',
      auditTable: 'table',
      ingestQueueUrl: 'q1',
      deadLetterQueueUrl: 'q2',
      targetEventsQueueUrl: 'q3',
      targetEventsDeadLetterQueueUrl: 'q4',
      keyArn: 'key',
      wrappingKeySecret: null,
      customerKeySecret: 'secret',
      policyFingerprint: 'f',
      source: 'keep',
    });
  });

  test('says whether it deletes sources', async () => {
    expect(await describeStack(answering({ ...OUTPUTS, SourceHandling: 'delete' }), 'sealdrop-prod')).toMatchObject({ source: 'delete' });
  });

  test.each(Object.keys(OUTPUTS))('that does not say its %s is told by that name', async (missing) => {
    const { [missing]: _, ...rest } = OUTPUTS;
    await expect(describeStack(answering(rest), 'sealdrop-prod')).rejects.toThrow(missing);
  });

  test.each([
    [
      'that does not exist',
      refusal('ValidationError', 400, 'Stack with id sealdrop-prod does not exist'),
      'There is no stack sealdrop-prod',
    ],
    ['that may not be seen', refusal('AccessDenied', 403), 'grant cloudformation:DescribeStacks'],
    ['asked for without credentials', refusal('CredentialsProviderError'), 'no credentials'],
    ['asked for with expired credentials', refusal('ExpiredToken', 403), 'no credentials'],
    ['behind a closed port', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'no connection'],
    ['asked for without a Region', new Error('Region is missing'), '--region'],
    ['that fails otherwise', refusal('InternalFailure', 500), 'InternalFailure'],
  ])('%s cannot be looked at', async (_, failure, said) => {
    const looked = describeStack(refusing(failure), 'sealdrop-prod');
    await expect(looked).rejects.toThrow(CannotLook);
    await expect(looked).rejects.toThrow(said);
  });
});

describe('names', () => {
  test('are ARNs of the partition', () => {
    const stack = { ...STACK, partition: 'aws-cn' };
    expect(bucketArn(stack, 'b')).toBe('arn:aws-cn:s3:::b');
    expect(roleArn(stack, 'list')).toBe('arn:aws-cn:iam::111111111111:role/sealdrop-prod-list-111111111111-eu-central-1');
    expect(queueArn(stack, 'https://sqs.eu-central-1.amazonaws.com/333333333333/q')).toBe('arn:aws-cn:sqs:eu-central-1:333333333333:q');
  });

  test.each([
    ['arn:aws:sqs:eu-central-1:111111111111:sealdrop-test-ingest-111111111111-eu-central-1', 'test'],
    ['arn:aws:sqs:eu-central-1:111111111111:sealdrop-a-b-target-events-111111111111-eu-central-1', 'a-b'],
    ['arn:aws:iam::111111111111:role/sealdrop-test-download-111111111111-eu-central-1', 'test'],
    ['arn:aws:iam::111111111111:role/sealdrop-prod-download-111111111111-eu-central-1', null],
    ['arn:aws:sqs:eu-central-1:111111111111:sealdrop-notes', null],
    ['arn:aws:sqs:eu-central-1:111111111111:theirs', null],
  ])('%s is of the stage %s', (arn, stage) => {
    expect(otherStage(STACK, arn)).toBe(stage);
  });

  test.each([
    [STACK.targetBucket, true],
    ['theirs', false],
    [`${STACK.targetBucket}-2`, false],
  ])('the stack made %s: %s', (bucket, own) => {
    expect(isOwnBucket(STACK, bucket)).toBe(own);
  });
});
