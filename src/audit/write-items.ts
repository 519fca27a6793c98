/** Items into the audit table: many in one call, all or an error. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AttributeValue, BatchWriteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { SealdropError } from '../errors.ts';
import { tableError } from './table-error.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const MAX_BATCH_ITEMS = 25;

/** The table hands back what it could not take; after this many rounds the whole batch is retried by its queue. */
const MAX_ROUNDS = 5;
const FIRST_PAUSE_MS = 50;

export interface TableItem {
  pk: string;
  sk: string;
  [member: string]: unknown;
}

type Marshalled = Record<string, AttributeValue>;

/**
 * An item with the same key stays as it is.
 * @returns whether there was none
 * @throws SealdropError `audit-unavailable`
 */
export async function writeNewItem(dynamodb: DynamoDBClient, tableName: string, item: TableItem): Promise<boolean> {
  const put = new PutItemCommand({ TableName: tableName, Item: marshal(item), ConditionExpression: 'attribute_not_exists(pk)' });
  try {
    await dynamodb.send(put);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw tableError(error);
  }
}

/**
 * Each item takes the place of one with the same key; of equal keys among `items` the last stands.
 * @throws SealdropError `audit-unavailable`; some of the items may then be written
 */
export async function writeItems(dynamodb: DynamoDBClient, tableName: string, items: TableItem[]): Promise<void> {
  // A batch may not name one item twice.
  const distinct = new Map(items.map((item) => [JSON.stringify([item.pk, item.sk]), item]));
  const marshalled = [...distinct.values()].map(marshal);
  const [only] = marshalled;
  try {
    if (marshalled.length === 1 && only !== undefined) await dynamodb.send(new PutItemCommand({ TableName: tableName, Item: only }));
    else {
      for (let at = 0; at < marshalled.length; at += MAX_BATCH_ITEMS) {
        await writeBatch(dynamodb, tableName, marshalled.slice(at, at + MAX_BATCH_ITEMS));
      }
    }
  } catch (error) {
    throw tableError(error);
  }
}

function marshal(item: TableItem): Marshalled {
  return marshall(item, { removeUndefinedValues: true });
}

async function writeBatch(dynamodb: DynamoDBClient, tableName: string, items: Marshalled[]): Promise<void> {
  let left = items.map((Item) => ({ PutRequest: { Item } }));
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (round > 0) await delay(FIRST_PAUSE_MS * 2 ** round * Math.random());
    const answer = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }));
    left = (answer.UnprocessedItems?.[tableName] ?? []).flatMap(({ PutRequest }) =>
      PutRequest?.Item === undefined ? [] : [{ PutRequest: { Item: PutRequest.Item } }],
    );
    if (left.length === 0) return;
  }
  throw new SealdropError('audit-unavailable', `the audit table left ${left.length} items unwritten`);
}
