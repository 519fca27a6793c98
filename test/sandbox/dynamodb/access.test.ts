import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { actAs, allow } from '../iam/roles.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const TableName = 'trail';
const TABLE = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } };
const mine = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['audit#*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } };

let sandbox: SandboxServer;
let administrator: DynamoDBClient;
const clients: DynamoDBClient[] = [];

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    const dynamodb = openDynamoDb(state);
    return { services: { dynamodb }, close: () => dynamodb.close() };
  });
  administrator = new DynamoDBClient(sandbox.client);
  await createTable(TableName);
});
afterAll(async () => {
  for (const client of [administrator, ...clients]) client.destroy();
  await sandbox.close();
});

function createTable(name: string) {
  return administrator.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}

function worker(...statements: object[]): DynamoDBClient {
  const { credentials } = actAs(sandbox.state, sandbox.credentials, 'worker', statements);
  const client = new DynamoDBClient({ ...sandbox.client, credentials });
  clients.push(client);
  return client;
}

const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 's' } });
const query = (more: Partial<QueryCommandInput>) => new QueryCommand({ TableName, ...more });

describe('a role', () => {
  test('does what its policy names on the table that it names', async () => {
    await createTable('other');
    const client = worker(allow('dynamodb:PutItem', TABLE));
    await client.send(new PutItemCommand({ TableName, Item: key('a') }));
    await expect(client.send(new PutItemCommand({ TableName: 'other', Item: key('a') }))).rejects.toMatchObject(denied);
    await expect(client.send(new GetItemCommand({ TableName, Key: key('a') }))).rejects.toMatchObject({
      ...denied,
      message: `User: arn:aws:sts::000000000000:assumed-role/worker/test is not authorized to perform: dynamodb:GetItem on resource: ${TABLE} because no identity-based policy allows the dynamodb:GetItem action`,
    });
    await expect(client.send(new DescribeTableCommand({ TableName }))).rejects.toMatchObject(denied);
    await expect(client.send(new ListTablesCommand({}))).rejects.toMatchObject(denied);
  });

  test('does not learn whether a table exists that it may not use', async () => {
    const get = new GetItemCommand({ TableName: 'missing', Key: key('a') });
    await expect(worker(allow('dynamodb:GetItem', TABLE)).send(get)).rejects.toMatchObject(denied);
    await expect(worker(allow('dynamodb:GetItem')).send(get)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('a role for some partition keys', () => {
  const right = allow('dynamodb:*', TABLE, mine);

  test.each<[name: string, run: (client: DynamoDBClient, pk: string) => Promise<unknown>]>([
    ['PutItem', (client, pk) => client.send(new PutItemCommand({ TableName, Item: key(pk) }))],
    ['GetItem', (client, pk) => client.send(new GetItemCommand({ TableName, Key: key(pk) }))],
    ['DeleteItem', (client, pk) => client.send(new DeleteItemCommand({ TableName, Key: key(pk) }))],
    [
      'UpdateItem',
      (client, pk) =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: key(pk),
            UpdateExpression: 'SET a = :a',
            ExpressionAttributeValues: { ':a': { S: 'x' } },
          }),
        ),
    ],
    [
      'BatchWriteItem',
      (client, pk) =>
        client.send(
          new BatchWriteItemCommand({
            RequestItems: { [TableName]: [{ PutRequest: { Item: key('audit#ok') } }, { DeleteRequest: { Key: key(pk) } }] },
          }),
        ),
    ],
    [
      'BatchGetItem',
      (client, pk) => client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('audit#ok'), key(pk)] } } })),
    ],
    ['Query', (client, pk) => client.send(query({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } }))],
    [
      'Query by another name',
      (client, pk) =>
        client.send(
          query({
            KeyConditionExpression: '#sk = :sk AND #pk=:pk',
            ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
            // What is compared with the sort key is no leading key.
            ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { S: 'object#1' } },
          }),
        ),
    ],
    [
      'Query in the older way',
      (client, pk) => client.send(query({ KeyConditions: { pk: { ComparisonOperator: 'EQ', AttributeValueList: [{ S: pk }] } } })),
    ],
    [
      'Query with the value first',
      (client, pk) => client.send(query({ KeyConditionExpression: ':pk = pk', ExpressionAttributeValues: { ':pk': { S: pk } } })),
    ],
    [
      'Query in parentheses',
      (client, pk) => client.send(query({ KeyConditionExpression: '((pk)=(:pk))', ExpressionAttributeValues: { ':pk': { S: pk } } })),
    ],
  ])('may %s under them and under no other', async (_name, run) => {
    await run(worker(right), 'audit#1');
    await expect(run(worker(right), 'object#1')).rejects.toMatchObject(denied);
  });

  test('is judged by the item that is put, whatever else the request names', async () => {
    const client = worker(right);
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string };
        request.body = JSON.stringify({ ...JSON.parse(request.body), Key: key('audit#1') });
        return next(args);
      },
      { step: 'build', priority: 'high' },
    );
    await expect(client.send(new PutItemCommand({ TableName, Item: key('object#1') }))).rejects.toMatchObject(denied);
  });

  test('may not Scan, which names none', async () => {
    await expect(worker(right).send(new ScanCommand({ TableName }))).rejects.toMatchObject(denied);
  });
});
