/** What is expected of DynamoDB. */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { has, matches, refused, same } from './difference.ts';
import { type Expectation, expectation } from './expectation.ts';
import type { Stage } from './stage.ts';

const PUT = ['dynamodb-api', 'API_PutItem'] as const;
const QUERY = ['dynamodb-api', 'API_Query'] as const;
const BATCH = ['dynamodb-api', 'API_BatchWriteItem'] as const;
const UPDATE = ['dynamodb-api', 'API_UpdateItem'] as const;
const LIMITS = ['dynamodb-guide', 'Constraints'] as const;

export const DYNAMODB: Expectation[] = [
  expectation(
    'dynamodb.table.described',
    'a table that exists is ACTIVE, on demand, under its ARN',
    ['dynamodb-api', 'API_DescribeTable'],
    async (stage) => {
      const { Table } = await stage.dynamodb.send(new DescribeTableCommand({ TableName: await stage.table() }));
      same('its state', Table?.TableStatus, 'ACTIVE');
      same('its billing', Table?.BillingModeSummary?.BillingMode, 'PAY_PER_REQUEST');
      matches('its ARN', Table?.TableArn, /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/.+$/);
    },
  ),
  expectation(
    'dynamodb.table.missing',
    'a table that is not there is ResourceNotFoundException',
    ['dynamodb-api', 'API_DescribeTable'],
    async (stage) => {
      const TableName = stage.unique('missing');
      await refused(stage.dynamodb.send(new DescribeTableCommand({ TableName })), '400 ResourceNotFoundException');
      await refused(
        stage.dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, sk: { S: 'a' } } })),
        '400 ResourceNotFoundException',
      );
    },
  ),
  expectation(
    'dynamodb.table.taken',
    'a name that is taken is ResourceInUseException',
    ['dynamodb-api', 'API_CreateTable'],
    async (stage) => {
      const command = new CreateTableCommand({
        TableName: await stage.table(),
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      });
      await refused(stage.dynamodb.send(command), '400 ResourceInUseException');
    },
  ),
  expectation(
    'dynamodb.table.protected',
    'a table with deletion protection is not deleted',
    ['dynamodb-guide', 'WorkingWithTables.Basics'],
    async (stage) => {
      const TableName = await stage.newTable();
      const protect = (DeletionProtectionEnabled: boolean) =>
        stage.dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled }));
      await protect(true);
      await refused(stage.dynamodb.send(new DeleteTableCommand({ TableName })), '400 ValidationException').finally(() => protect(false));
    },
  ),
  expectation(
    'dynamodb.table.recovery',
    'point-in-time recovery is off at first, and stays as it was switched',
    ['dynamodb-api', 'API_UpdateContinuousBackups'],
    async (stage) => {
      const TableName = await stage.newTable();
      const status = async () => {
        const answer = await stage.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
        return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
      };
      same('at first', await status(), 'DISABLED');
      const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
      await stage.dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
      same('switched on', await status(), 'ENABLED');
    },
  ),
  expectation(
    'dynamodb.table.ttl',
    'expiry is off at first, and stays as it was set',
    ['dynamodb-api', 'API_UpdateTimeToLive'],
    async (stage) => {
      const TableName = await stage.newTable();
      const status = async () => (await stage.dynamodb.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription ?? {};
      same('at first', Reflect.get(await status(), 'TimeToLiveStatus'), 'DISABLED');
      const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expires' };
      await stage.dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
      same('its attribute', Reflect.get(await status(), 'AttributeName'), 'expires');
    },
  ),
  expectation(
    'dynamodb.item.types',
    'an item of all types comes back as it was',
    ['dynamodb-guide', 'HowItWorks.NamingRulesDataTypes'],
    async (stage) => {
      const item = {
        text: { S: 'Körper' },
        number: { N: '12345678901234567890.123456789' },
        bytes: { B: Uint8Array.from([0, 255]) },
        yes: { BOOL: true },
        nothing: { NULL: true },
        list: { L: [{ S: 'a' }, { N: '1' }] },
        map: { M: { deep: { L: [] } } },
        empty: { S: '' },
      };
      const { Key } = await put(stage, 'one', item);
      const { Item } = await stage.dynamodb.send(new GetItemCommand({ TableName: await stage.table(), Key, ConsistentRead: true }));
      has('the item', Item ?? {}, item);
    },
  ),
  expectation('dynamodb.item.missing', 'an item that is not there is no error', ['dynamodb-api', 'API_GetItem'], async (stage) => {
    const Key = { pk: { S: stage.unique() }, sk: { S: 'x' } };
    same('the item', (await stage.dynamodb.send(new GetItemCommand({ TableName: await stage.table(), Key }))).Item, undefined);
  }),
  expectation('dynamodb.item.key-missing', 'an item without its whole key is ValidationException', PUT, async (stage) => {
    const command = new PutItemCommand({ TableName: await stage.table(), Item: { pk: { S: stage.unique() } } });
    await refused(stage.dynamodb.send(command), '400 ValidationException');
  }),
  expectation('dynamodb.item.key-empty', 'an empty string as key is ValidationException', LIMITS, async (stage) => {
    const command = new PutItemCommand({ TableName: await stage.table(), Item: { pk: { S: stage.unique() }, sk: { S: '' } } });
    await refused(stage.dynamodb.send(command), '400 ValidationException');
  }),
  expectation('dynamodb.item.key-type', 'a key of another type is ValidationException', PUT, async (stage) => {
    const command = new PutItemCommand({ TableName: await stage.table(), Item: { pk: { S: stage.unique() }, sk: { N: '1' } } });
    await refused(stage.dynamodb.send(command), '400 ValidationException');
  }),
  expectation('dynamodb.item.too-large', 'an item above 400 KB is ValidationException', LIMITS, async (stage) => {
    await put(stage, 'large', { body: { S: 'x'.repeat(400 * 1024 - 200) } });
    await refused(put(stage, 'large', { body: { S: 'x'.repeat(400 * 1024) } }), '400 ValidationException');
  }),
  expectation(
    'dynamodb.item.sort-key-limit',
    'a sort key of 1,024 bytes is taken, a longer one ValidationException',
    LIMITS,
    async (stage) => {
      await put(stage, 'x'.repeat(1024));
      await refused(put(stage, 'x'.repeat(1025)), '400 ValidationException');
    },
  ),
  expectation(
    'dynamodb.condition.new',
    'attribute_not_exists writes once',
    ['dynamodb-guide', 'Expressions.ConditionExpressions'],
    async (stage) => {
      const ConditionExpression = 'attribute_not_exists(pk)';
      const { Key } = await put(stage, 'one', { turn: { N: '1' } }, { ConditionExpression });
      const again = put(stage, 'one', { turn: { N: '2' }, pk: Key.pk }, { ConditionExpression });
      await refused(again, '400 ConditionalCheckFailedException');
      const { Item } = await stage.dynamodb.send(new GetItemCommand({ TableName: await stage.table(), Key, ConsistentRead: true }));
      same('what stays', Item?.turn, { N: '1' });
    },
  ),
  expectation(
    'dynamodb.condition.race',
    'of many that write with attribute_not_exists at once, one wins',
    ['dynamodb-guide', 'Expressions.ConditionExpressions'],
    async (stage) => {
      const pk = { S: stage.unique() };
      const calls = Array.from({ length: 8 }, () => put(stage, 'race', { pk }, { ConditionExpression: 'attribute_not_exists(pk)' }));
      same('the winners', (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length, 1);
    },
  ),
  expectation(
    'dynamodb.condition.reserved',
    'a reserved word in an expression is ValidationException',
    ['dynamodb-guide', 'ReservedWords'],
    async (stage) => {
      await refused(put(stage, 'one', {}, { ConditionExpression: 'attribute_not_exists(status)' }), '400 ValidationException');
    },
  ),
  expectation('dynamodb.update.adds', 'an update sets, adds and gives back what is new', UPDATE, async (stage) => {
    const { Key } = await put(stage, 'one', { count: { N: '1' } });
    const command = new UpdateItemCommand({
      TableName: await stage.table(),
      Key,
      UpdateExpression: 'SET #name = :name ADD #count :one',
      ExpressionAttributeNames: { '#name': 'name', '#count': 'count' },
      ExpressionAttributeValues: { ':name': { S: 'a' }, ':one': { N: '1' } },
      ReturnValues: 'UPDATED_NEW',
    });
    same('the new values', (await stage.dynamodb.send(command)).Attributes, { name: { S: 'a' }, count: { N: '2' } });
  }),
  expectation(
    'dynamodb.delete.returns',
    'a deletion gives back what was there, and is done when nothing is',
    ['dynamodb-api', 'API_DeleteItem'],
    async (stage) => {
      const { Key } = await put(stage, 'one', { turn: { N: '1' } });
      const command = new DeleteItemCommand({ TableName: await stage.table(), Key, ReturnValues: 'ALL_OLD' });
      same('the first time', (await stage.dynamodb.send(command)).Attributes?.turn, { N: '1' });
      same('the second time', (await stage.dynamodb.send(command)).Attributes, undefined);
    },
  ),
  expectation('dynamodb.query.prefix', 'begins_with on the sort key finds those in order, backwards too', QUERY, async (stage) => {
    const pk = await puts(stage, ['record#2', 'record#1', 'other#1', 'record#10']);
    const find = (more: Partial<QueryCommandInput>) =>
      keys(stage, pk, 'AND begins_with(sk, :prefix)', { ':prefix': { S: 'record#' } }, more);
    same('forwards', await find({}), ['record#1', 'record#10', 'record#2']);
    same('backwards', await find({ ScanIndexForward: false }), ['record#2', 'record#10', 'record#1']);
    same('the last one', await find({ ScanIndexForward: false, Limit: 1, ConsistentRead: true }), ['record#2']);
  }),
  expectation(
    'dynamodb.query.order',
    'sort keys are in order of their UTF-8 bytes',
    ['dynamodb-guide', 'HowItWorks.NamingRulesDataTypes'],
    async (stage) => {
      const names = ['a', 'B', 'é', '\u{ff5e}', '\u{1f510}'];
      const pk = await puts(stage, names);
      same(
        'the keys',
        await keys(stage, pk),
        [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
    },
  ),
  expectation('dynamodb.query.pages', 'pages by LastEvaluatedKey tile the items', ['dynamodb-guide', 'Query.Pagination'], async (stage) => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const pk = await puts(stage, names);
    const found: string[] = [];
    let from: QueryCommandInput['ExclusiveStartKey'];
    for (let page = 0; page <= names.length; page += 1) {
      const answer = await stage.dynamodb.send(
        query(await stage.table(), pk, '', {}, { Limit: 2, ...(from && { ExclusiveStartKey: from }) }),
      );
      found.push(...(answer.Items ?? []).map(({ sk }) => sk?.S ?? ''));
      from = answer.LastEvaluatedKey;
      if (from === undefined) break;
    }
    same('all keys', found, names);
  }),
  expectation('dynamodb.query.between', 'a range of the sort key includes both ends', QUERY, async (stage) => {
    const pk = await puts(stage, ['1', '2', '3', '4']);
    same('the keys', await keys(stage, pk, 'AND sk BETWEEN :low AND :high', { ':low': { S: '2' }, ':high': { S: '3' } }), ['2', '3']);
  }),
  expectation(
    'dynamodb.query.filter',
    'a filter drops items after they were read',
    ['dynamodb-guide', 'Query.FilterExpression'],
    async (stage) => {
      const pk = { S: stage.unique() };
      await put(stage, 'a', { pk, who: { S: 'pat' } });
      await put(stage, 'b', { pk, who: { S: 'sam' } });
      const more = { FilterExpression: 'who = :who' };
      const answer = await stage.dynamodb.send(query(await stage.table(), pk.S, '', { ':who': { S: 'sam' } }, more));
      has('the answer', answer, { Count: 1, ScannedCount: 2 });
    },
  ),
  expectation('dynamodb.batch.writes', 'a batch writes up to 25 items', BATCH, async (stage) => {
    const pk = { S: stage.unique() };
    const request = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ PutRequest: { Item: { pk, sk: { S: String(index).padStart(2, '0') } } } }));
    const TableName = await stage.table();
    const answer = await stage.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: request(25) } }));
    same('what was not processed', Object.keys(answer.UnprocessedItems ?? {}), []);
    same('the count of items', (await keys(stage, pk.S)).length, 25);
    const tooMany = new BatchWriteItemCommand({ RequestItems: { [TableName]: request(26) } });
    await refused(stage.dynamodb.send(tooMany), '400 ValidationException');
  }),
  expectation('dynamodb.batch.twice', 'a batch with an item twice is ValidationException', BATCH, async (stage) => {
    const Item = { pk: { S: stage.unique() }, sk: { S: 'same' } };
    const RequestItems = { [await stage.table()]: [{ PutRequest: { Item } }, { PutRequest: { Item } }] };
    await refused(stage.dynamodb.send(new BatchWriteItemCommand({ RequestItems })), '400 ValidationException');
  }),
  expectation('dynamodb.batch.reads', 'a batch reads what is there', ['dynamodb-api', 'API_BatchGetItem'], async (stage) => {
    const TableName = await stage.table();
    const { Key } = await put(stage, 'one', { turn: { N: '1' } });
    const Keys = [Key, { ...Key, sk: { S: 'missing' } }];
    const answer = await stage.dynamodb.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }));
    same(
      'the items',
      answer.Responses?.[TableName]?.map(({ turn }) => turn),
      [{ N: '1' }],
    );
  }),
];

type Item = NonNullable<PutItemCommandInput['Item']>;

/** Puts an item under a partition of its own, unless `item` names one. */
async function put(stage: Stage, sk: string, item: Item = {}, more: Partial<PutItemCommandInput> = {}) {
  const Key = { pk: item.pk ?? { S: stage.unique() }, sk: { S: sk } };
  await stage.dynamodb.send(new PutItemCommand({ TableName: await stage.table(), Item: { ...item, ...Key }, ...more }));
  return { Key };
}

/** @returns the partition that has these sort keys */
async function puts(stage: Stage, names: string[]): Promise<string> {
  const pk = { S: stage.unique() };
  for (const name of names) await put(stage, name, { pk });
  return pk.S;
}

function query(TableName: string, pk: string, condition: string, values: Item, more: Partial<QueryCommandInput>): QueryCommand {
  return new QueryCommand({
    TableName,
    KeyConditionExpression: `pk = :pk ${condition}`,
    ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
    ...more,
  });
}

async function keys(stage: Stage, pk: string, condition = '', values: Item = {}, more: Partial<QueryCommandInput> = {}): Promise<string[]> {
  const { Items = [] } = await stage.dynamodb.send(query(await stage.table(), pk, condition, values, more));
  return Items.map(({ sk }) => sk?.S ?? '');
}
