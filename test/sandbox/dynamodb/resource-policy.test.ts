import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteResourcePolicyCommand,
  DynamoDBClient,
  GetItemCommand,
  GetResourcePolicyCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { actAs, allow } from '../iam/roles.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const arnOf = (table: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`;
const TABLE = arnOf('trail');
const KEY = { pk: { S: 'audit#a' } };
const denied = { name: 'AccessDeniedException' };
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const NEVER_DELETED = { Sid: 'NeverDeleted', Effect: 'Deny', Principal: '*', Action: 'dynamodb:DeleteItem', Resource: TABLE };

let sandbox: SandboxServer;
let administrator: DynamoDBClient;
const clients: DynamoDBClient[] = [];

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    const dynamodb = openDynamoDb(state);
    return { services: { dynamodb }, close: () => dynamodb.close() };
  });
  administrator = new DynamoDBClient(sandbox.client);
  await createTable(administrator, 'trail');
});
beforeEach(() => administrator.send(new DeleteResourcePolicyCommand({ ResourceArn: TABLE })));
afterAll(async () => {
  for (const client of [administrator, ...clients]) client.destroy();
  await sandbox.close();
});

function createTable(client: DynamoDBClient, TableName: string, ResourcePolicy?: string) {
  return client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      ...(ResourcePolicy === undefined ? {} : { ResourcePolicy }),
    }),
  );
}

function worker(...statements: object[]): DynamoDBClient {
  const { credentials } = actAs(sandbox.state, sandbox.credentials, 'worker', statements);
  const client = new DynamoDBClient({ ...sandbox.client, credentials });
  clients.push(client);
  return client;
}

const putPolicy = (Policy: string) => administrator.send(new PutResourcePolicyCommand({ ResourceArn: TABLE, Policy }));
const remove = (client: DynamoDBClient, TableName = 'trail') => client.send(new DeleteItemCommand({ TableName, Key: KEY }));

describe("a table's policy", () => {
  test('refuses what it denies to everybody, and nothing else', async () => {
    await remove(administrator);
    await putPolicy(document(NEVER_DELETED));
    await administrator.send(new PutItemCommand({ TableName: 'trail', Item: KEY }));
    await expect(remove(administrator)).rejects.toMatchObject(denied);
    await administrator.send(new GetItemCommand({ TableName: 'trail', Key: KEY }));
  });

  test('spares whom its condition names', async () => {
    const client = worker(allow('dynamodb:DeleteItem', TABLE));
    const Condition = { ArnNotEquals: { 'aws:PrincipalArn': 'arn:aws:iam::000000000000:role/worker' } };
    await putPolicy(document({ ...NEVER_DELETED, Condition }));
    await remove(client);
    await expect(remove(administrator)).rejects.toMatchObject(denied);
  });

  test('allows what a role of its own does not', async () => {
    const client = worker(allow('dynamodb:Query', TABLE));
    await expect(remove(client)).rejects.toMatchObject(denied);
    const Principal = { AWS: 'arn:aws:iam::000000000000:role/worker' };
    await putPolicy(document({ Sid: 'Allowed', Effect: 'Allow', Principal, Action: 'dynamodb:DeleteItem', Resource: TABLE }));
    await remove(client);
  });

  test('is told with its revision, which the same policy keeps', async () => {
    const first = await putPolicy(document(NEVER_DELETED));
    expect(await putPolicy(document(NEVER_DELETED))).toMatchObject({ RevisionId: first.RevisionId });
    const told = await administrator.send(new GetResourcePolicyCommand({ ResourceArn: TABLE }));
    expect(told).toMatchObject({ Policy: document(NEVER_DELETED), RevisionId: first.RevisionId });
    expect((await putPolicy(document({ ...NEVER_DELETED, Sid: 'Other' }))).RevisionId).not.toBe(first.RevisionId);
  });

  test('is gone when it is deleted', async () => {
    await putPolicy(document(NEVER_DELETED));
    await administrator.send(new DeleteResourcePolicyCommand({ ResourceArn: TABLE }));
    await remove(administrator);
    const ask = administrator.send(new GetResourcePolicyCommand({ ResourceArn: TABLE }));
    await expect(ask).rejects.toMatchObject({ name: 'PolicyNotFoundException' });
  });

  test('comes with CreateTable, for whoever may put one', async () => {
    const policy = document({ ...NEVER_DELETED, Resource: arnOf('born') });
    const half = worker(allow('dynamodb:CreateTable', arnOf('born')));
    await expect(createTable(half, 'born', policy)).rejects.toMatchObject(denied);
    await createTable(worker(allow(['dynamodb:CreateTable', 'dynamodb:PutResourcePolicy'], arnOf('born'))), 'born', policy);
    await expect(remove(administrator, 'born')).rejects.toMatchObject(denied);
  });

  test.each([
    ['no policy', '{"Version":'],
    ['one for the public', document({ Sid: 'Open', Effect: 'Allow', Principal: '*', Action: 'dynamodb:GetItem', Resource: TABLE })],
    ['one of 20,481 bytes', `${document(NEVER_DELETED)}${' '.repeat(20_481 - document(NEVER_DELETED).length)}`],
  ])('is refused when it is %s', async (_, policy) => {
    await expect(putPolicy(policy)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('takes 20,480 bytes', async () => {
    await putPolicy(`${document(NEVER_DELETED)}${' '.repeat(20_480 - document(NEVER_DELETED).length)}`);
  });

  test('is of a table that is there', async () => {
    const ask = administrator.send(new PutResourcePolicyCommand({ ResourceArn: arnOf('missing'), Policy: document(NEVER_DELETED) }));
    await expect(ask).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
