/** The audit trail: events of an object, in the order in which they happened. */

import { setTimeout as delay } from 'node:timers/promises';
import { type AttributeValue, BatchWriteItemCommand, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { SealdropError } from '../errors.ts';
import { type AuditEvent, eventSortKey } from './event.ts';
import { tableError } from './table-error.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
const MAX_BATCH_ITEMS = 25;

/** The table hands back what it could not take; after this many rounds the whole batch is retried by its queue. */
const MAX_ROUNDS = 5;
const FIRST_PAUSE_MS = 50;

export interface HistoryPage {
  events: AuditEvent[];
  /** Where the next page begins; `null` at the end. */
  next: string | null;
}

/** Every method throws SealdropError `audit-unavailable`. */
export interface AuditTrail {
  /** Writes all or throws. Repeating an event overwrites it with itself. */
  append(events: AuditEvent[]): Promise<void>;
  /** Oldest first. `from` and `to` are ISO 8601, inclusive; `after` is a former page's `next`. */
  history(query: { bucket: string; key: string; from?: string; to?: string; after?: string; limit: number }): Promise<HistoryPage>;
}

export function createAuditTrail(dynamodb: DynamoDBClient, tableName: string): AuditTrail {
  async function writeBatch(items: Record<string, AttributeValue>[]): Promise<void> {
    let left = items.map((Item) => ({ PutRequest: { Item } }));
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (round > 0) await delay(FIRST_PAUSE_MS * 2 ** round * Math.random());
      const answer = await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }));
      left = (answer.UnprocessedItems?.[tableName] ?? []).flatMap(({ PutRequest }) =>
        PutRequest?.Item === undefined ? [] : [{ PutRequest: { Item: PutRequest.Item } }],
      );
      if (left.length === 0) return;
    }
    throw new SealdropError('audit-unavailable', `the audit table left ${left.length} events unwritten`);
  }

  return {
    async append(events) {
      const items = distinct(events);
      try {
        const [only] = items;
        if (items.length === 1 && only !== undefined) await dynamodb.send(new PutItemCommand({ TableName: tableName, Item: only }));
        else for (let at = 0; at < items.length; at += MAX_BATCH_ITEMS) await writeBatch(items.slice(at, at + MAX_BATCH_ITEMS));
      } catch (error) {
        throw tableError(error);
      }
    },

    async history({ bucket, key, from = '', to, after, limit }) {
      const pk = partition(bucket, key);
      // `~` follows every character of a sort key, so that the end is inclusive.
      const range = { ':pk': { S: pk }, ':from': { S: from || ' ' }, ':to': { S: `${to ?? ''}~` } };
      const answer = await dynamodb
        .send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
            ExpressionAttributeValues: range,
            Limit: limit,
            ConsistentRead: true,
            ...(after === undefined ? {} : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: after } } }),
          }),
        )
        .catch((error: unknown) => {
          throw tableError(error, { bucket, key });
        });
      // Only `append` writes under this key, so the stored shape is the event's.
      const events = (answer.Items ?? []).map((item) => unmarshall(item).event as AuditEvent);
      return { events, next: answer.LastEvaluatedKey?.sk?.S ?? null };
    },
  };
}

/** A batch may not name one item twice: the last of equal events stands. */
function distinct(events: AuditEvent[]): Record<string, AttributeValue>[] {
  const items = new Map<string, Record<string, AttributeValue>>();
  for (const event of events) {
    const id = { pk: partition(event.bucket, event.key), sk: eventSortKey(event) };
    items.set(JSON.stringify(id), marshall({ ...id, event }, { removeUndefinedValues: true }));
  }
  return [...items.values()];
}

function partition(bucket: string, key: string): string {
  return `audit#${bucket}/${key}`;
}
