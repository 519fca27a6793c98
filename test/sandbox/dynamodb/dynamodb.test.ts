import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { Level } from 'level';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DynamoDb, openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { openState } from '../../../sandbox/state.ts';
import { type SandboxServer, startSandbox } from '../wire/sandbox-server.ts';

const STRING = 'S' as const;
let sandbox: SandboxServer;
let service: DynamoDb;
let dynamodb: DynamoDBClient;
let tables = 0;
let TableName: string;

beforeAll(async () => {
  sandbox = await startSandbox((state) => {
    service = openDynamoDb(state);
    return { services: { dynamodb: service }, close: () => service.close() };
  });
  dynamodb = new DynamoDBClient(sandbox.client);
});
beforeEach(() => {
  tables += 1;
  TableName = `table-${tables}`;
});
afterEach(() => expect(sandbox.defects).toEqual([]));
afterAll(async () => {
  dynamodb.destroy();
  await sandbox.close();
});

function tableInput(extra: Partial<CreateTableCommandInput> = {}): CreateTableCommandInput {
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: STRING },
      { AttributeName: 'sk', AttributeType: STRING },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    ...extra,
  };
}

const createTable = (extra: Partial<CreateTableCommandInput> = {}) => dynamodb.send(new CreateTableCommand(tableInput(extra)));
const item = (pk: string, sk: string, value = 0) => ({ pk: { S: pk }, sk: { S: sk }, value: { N: `${value}` } });

describe('items', () => {
  test('come back as they were put', async () => {
    await createTable();
    const Item = {
      ...item('é', '💾'),
      bytes: { B: Buffer.from([0, 255]) },
      list: { L: [{ BOOL: true }, { NULL: true }] },
      map: { M: { a: { SS: ['x', 'y'] } } },
    };
    await dynamodb.send(new PutItemCommand({ TableName, Item }));
    const got = await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'é' }, sk: { S: '💾' } }, ConsistentRead: true }));
    expect(got.Item).toEqual({ ...Item, bytes: { B: Uint8Array.from([0, 255]) } });
  });

  test('are put once under a condition, by one of many at the same time', async () => {
    await createTable();
    const put = (value: number) =>
      dynamodb.send(new PutItemCommand({ TableName, Item: item('a', 'b', value), ConditionExpression: 'attribute_not_exists(pk)' }));
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => put(n)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [refused] = results.filter((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ name: 'ConditionalCheckFailedException', message: 'The conditional request failed' });
  });

  test('are found by key range, newest first, page by page', async () => {
    await createTable();
    const PutRequest = (n: number) => ({ PutRequest: { Item: item('p', `s${n}`, n) } });
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [1, 2, 3, 4, 5].map(PutRequest) } }));
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :p AND sk BETWEEN :a AND :z',
      ExpressionAttributeValues: { ':p': { S: 'p' }, ':a': { S: 's2' }, ':z': { S: 's5' } },
      ScanIndexForward: false,
      Limit: 3,
    };
    const first = await dynamodb.send(new QueryCommand(query));
    const rest = await dynamodb.send(new QueryCommand({ ...query, ExclusiveStartKey: first.LastEvaluatedKey }));
    const found = [...(first.Items ?? []), ...(rest.Items ?? [])].map(({ sk }) => sk?.S);
    expect(found).toEqual(['s5', 's4', 's3', 's2']);
  });

  test('of a table that is not there are a ResourceNotFoundException', async () => {
    const get = new GetItemCommand({ TableName: 'none', Key: { pk: { S: 'a' } } });
    await expect(dynamodb.send(get)).rejects.toMatchObject({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 400 } });
  });

  test('that are malformed are refused in DynamoDB’s words', async () => {
    await createTable();
    const put = new PutItemCommand({ TableName, Item: { pk: { S: 'a' } } });
    await expect(dynamodb.send(put)).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'One or more parameter values were invalid: Missing the key sk in the item',
    });
  });
});

describe('a table', () => {
  test('is active at once, in this account, with its settings and tags', async () => {
    const created = await createTable({
      SSESpecification: { Enabled: true },
      DeletionProtectionEnabled: true,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      Tags: [{ Key: 'team', Value: 'audit' }],
    });
    const arn = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
    expect(created.TableDescription?.TableArn).toBe(arn);
    expect((await dynamodb.send(new DescribeTableCommand({ TableName }))).Table).toMatchObject({
      TableStatus: 'ACTIVE',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' },
      DeletionProtectionEnabled: true,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      LatestStreamArn: expect.stringMatching(new RegExp(`^${arn}/stream/\\d{4}-`)),
    });
    expect((await dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: arn }))).Tags).toEqual([{ Key: 'team', Value: 'audit' }]);
    expect((await dynamodb.send(new ListTablesCommand({}))).TableNames).toContain(TableName);
  });

  test('is created once', async () => {
    await createTable();
    await expect(createTable()).rejects.toMatchObject({ name: 'ResourceInUseException', message: `Table already exists: ${TableName}` });
  });

  test('that is protected is deleted only once it is not', async () => {
    await createTable({ DeletionProtectionEnabled: true });
    await expect(dynamodb.send(new DeleteTableCommand({ TableName }))).rejects.toMatchObject({ name: 'ValidationException' });
    await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await dynamodb.send(new DeleteTableCommand({ TableName }));
    await expect
      .poll(() => dynamodb.send(new DescribeTableCommand({ TableName })).catch(({ name }) => name))
      .toBe('ResourceNotFoundException');
  });

  test('that is made again after its deletion has none of its old settings', async () => {
    await createTable({ StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } });
    await dynamodb.send(new DeleteTableCommand({ TableName }));
    await expect
      .poll(() =>
        createTable().then(
          () => 'made',
          ({ name }) => name,
        ),
      )
      .toBe('made');
    expect((await dynamodb.send(new DescribeTableCommand({ TableName }))).Table).not.toHaveProperty('StreamSpecification');
  });

  test('remembers time to live', async () => {
    await createTable();
    const status = async () => (await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription;
    expect(await status()).toEqual({ TimeToLiveStatus: 'DISABLED' });
    const enable = new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true } });
    await dynamodb.send(enable);
    expect(await status()).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
    await expect(dynamodb.send(enable)).rejects.toMatchObject({ message: 'TimeToLive is already enabled' });
  });

  test('remembers point-in-time recovery', async () => {
    await createTable();
    const status = async () =>
      (await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }))).ContinuousBackupsDescription
        ?.PointInTimeRecoveryDescription;
    expect((await status())?.PointInTimeRecoveryStatus).toBe('DISABLED');
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
    expect(await status()).toMatchObject({ PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 35 });
  });
});

describe('what is not here', () => {
  test('is a 501: transactions, members that dynalite would ignore', async () => {
    await createTable();
    const transact = new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: item('a', 'b') } }] });
    await expect(dynamodb.send(transact)).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
    const put = new PutItemCommand({ TableName, Item: item('a', 'b'), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
    await expect(dynamodb.send(put)).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('ReturnValuesOnConditionCheckFailure'),
    });
    await expect(createTable({ TableName: 'other', WarmThroughput: { ReadUnitsPerSecond: 1 } })).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });
});

test('tables and items survive a restart, and a table whose making was cut off is usable after it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  const first = openState(dir);
  const before = openDynamoDb(first);
  await before.call('CreateTable', { ...tableInput(), DeletionProtectionEnabled: true });
  await before.call('PutItem', { TableName, Item: item('a', 'b') });
  await before.close();
  first.close();

  const level = new Level<string, { TableStatus: string }>(join(dir, 'dynamodb'), { valueEncoding: 'json' });
  const table = await level.get(`table~${TableName}`);
  await level.put(`table~${TableName}`, { ...Object(table), TableStatus: 'CREATING' });
  await level.close();

  const second = openState(dir);
  const after = openDynamoDb(second);
  expect(await after.call('GetItem', { TableName, Key: { pk: { S: 'a' }, sk: { S: 'b' } } })).toEqual({ Item: item('a', 'b') });
  expect(await after.call('DescribeTable', { TableName })).toMatchObject({
    Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: true },
  });
  await after.close();
  second.close();
  rmSync(dir, { recursive: true });
});

test('closing waits for what is running', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  const state = openState(dir);
  const closing = openDynamoDb(state);
  await closing.call('CreateTable', { ...tableInput() });
  const puts = Array.from({ length: 50 }, (_, n) => closing.call('PutItem', { TableName, Item: item('a', `${n}`) }));
  await Promise.resolve();
  await closing.close();
  expect((await Promise.allSettled(puts)).every(({ status }) => status === 'fulfilled')).toBe(true);
  state.close();
  rmSync(dir, { recursive: true });
});
