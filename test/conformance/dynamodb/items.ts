/** Items: writing one, on conditions, and reading it. */
import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import { put } from './partitions.ts';

const PUT = ['dynamodb-api', 'API_PutItem'] as const;
const UPDATE = ['dynamodb-api', 'API_UpdateItem'] as const;
const LIMITS = ['dynamodb-guide', 'Constraints'] as const;

export const ITEMS: Expectation[] = [
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
];
