/** The stack that ships on an emulator that we did not write: its CloudFormation, its queues, its Lambda. Run by scripts/second-emulator.sh. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { beforeAll, expect, test } from 'vitest';
import { packageStack } from '../../../sandbox/build.ts';
import { until } from '../../e2e/local-stack.ts';
import { customerKey } from '../s3/objects.ts';
import { type Deployment, type Package, upload } from './deployment.ts';

/** Resource types of the stack that this CloudFormation does not know. docs/decisions/second-opinion.md says what follows. */
const UNKNOWN_TYPES = ['AWS::SecretsManager::ResourcePolicy'];
const PROJECT = join(import.meta.dirname, '../../..');
const key = randomBytes(32);

const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
const target = { endpoint, region, credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } };
const s3 = new S3Client({ ...target, forcePathStyle: true });
const sqs = new SQSClient(target);
const dynamodb = new DynamoDBClient(target);

let shipped: Package;
let deployment: Deployment;
const output = (name: string) => deployment.outputs[name] ?? '';

beforeAll(async () => {
  const cacheDir = join(PROJECT, '.build');
  const artifacts = await packageStack({ projectDir: PROJECT, policyPath: join(PROJECT, 'policy.yml'), stage: 'dev', cacheDir });
  shipped = await upload(artifacts, target);
  deployment = await shipped.deploy(UNKNOWN_TYPES);
  // Its CloudFormation makes secrets of any characters, whatever GenerateSecretString excludes.
  const secret = { SecretId: output('CustomerKeySecret'), SecretString: key.toString('hex') };
  await new SecretsManagerClient(target).send(new PutSecretValueCommand(secret));
});

test('only known gaps keep the template from being taken whole', async () => {
  expect(await shipped.complaint()).toBe(`Template format error: Unrecognized resource types: [${UNKNOWN_TYPES.join(', ')}]`);
});

test('every other resource is created', () => {
  const expected = Object.entries(shipped.template.Resources).filter(([, { Type }]) => !UNKNOWN_TYPES.includes(Type));
  expect(deployment.status).toBe('CREATE_COMPLETE');
  expect(deployment.resources).toEqual(Object.fromEntries(expected.map(([id]) => [id, 'CREATE_COMPLETE'])));
});

test('every output of the template has a value', () => {
  expect(Object.keys(deployment.outputs).sort()).toEqual(Object.keys(shipped.template.Outputs).sort());
  expect(Object.values(deployment.outputs)).not.toContain('');
});

test.each([
  ['report.public.txt', 'sse-s3', {}],
  ['cards/visa.txt', 'sse-c', customerKey(key)],
])('a file dropped as %s is encrypted by the deployed function, and recorded', async (Key, mode, customer) => {
  await s3.send(new PutObjectCommand({ Bucket: output('IngestBucketName'), Key, Body: 'dropped' }));
  await until(`the record of ${Key}`, async () => (await recorded('object', Key)).length > 0);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: output('TargetBucketName'), Key, ...customer }));
  expect(await Body?.transformToString()).toBe('dropped');
  expect(await recorded('object', Key)).toMatchObject([{ record: { encryption: { mode } } }]);
  // Its events name nobody ("EXAMPLE"), so that our own write may be recorded as a foreign one as well.
  const events = (await recorded('audit', Key)).filter(({ event }) => Reflect.get(Object(event), 'action') !== 'ObjectWritten');
  expect(events).toMatchObject([{ event: { action: 'ObjectEncrypted', outcome: 'success', actor: 'function/encrypt' } }]);
});

test('a copy whose answer is not what was asked is a dead letter', async () => {
  // The default is under a Bucket Key, of which this server says nothing.
  await s3.send(new PutObjectCommand({ Bucket: output('IngestBucketName'), Key: 'default.txt', Body: 'dropped' }));
  let letter: Message | undefined;
  await until('the dead letter', async () => {
    const receive = new ReceiveMessageCommand({ QueueUrl: output('DeadLetterQueueUrl'), MessageAttributeNames: ['All'] });
    letter = (await sqs.send(receive)).Messages?.[0];
    return letter !== undefined;
  });
  expect(letter?.MessageAttributes?.code?.StringValue).toBe('answer-mismatch');
  expect(await recorded('object', 'default.txt')).toEqual([]);
});

test('a foreign write into the target bucket is recorded by the deployed function', async () => {
  const Key = 'foreign.public.txt';
  await s3.send(new PutObjectCommand({ Bucket: output('TargetBucketName'), Key, Body: 'foreign', ServerSideEncryption: 'AES256' }));
  await until('its event', async () => (await recorded('audit', Key)).length > 0);
  expect(await recorded('audit', Key)).toMatchObject([{ event: { action: 'ObjectWritten' } }]);
});

/** What was done; claims say what somebody was about to do. */
async function recorded(what: 'audit' | 'object', objectKey: string): Promise<Record<string, unknown>[]> {
  const command = new QueryCommand({
    TableName: output('AuditTableName'),
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `${what}#${output('TargetBucketName')}/${objectKey}` } },
  });
  return ((await dynamodb.send(command)).Items ?? []).map((item) => unmarshall(item)).filter((item) => item.claim === undefined);
}
