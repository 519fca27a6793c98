/** Queries and batches. */
import { BatchGetItemCommand, BatchWriteItemCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { keys, put, puts, query } from './partitions.ts';

const QUERY = ['dynamodb-api', 'API_Query'] as const;
const BATCH = ['dynamodb-api', 'API_BatchWriteItem'] as const;

export const QUERIES: Expectation[] = [
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
