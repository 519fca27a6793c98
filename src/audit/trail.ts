/** The audit trail: events of an object, in the order in which they happened. */
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type AuditEvent, eventSortKey, happenedWithin, positionFrom } from './event.ts';
import { tableError } from './table-error.ts';
import { type TableItem, writeItems, writeNewItem } from './write-items.ts';

export interface HistoryPage {
  events: AuditEvent[];
  /** Where the next page begins; `null` at the end. */
  next: string | null;
}

/** Every method throws SealdropError `audit-unavailable`. */
export interface AuditTrail {
  /** Writes all or throws. Repeating an event overwrites it with itself. */
  append(events: AuditEvent[]): Promise<void>;
  /** Writes those that are not there yet, or throws. */
  appendNew(events: AuditEvent[]): Promise<void>;
  /** Oldest first, reads by ranges where their window begins. `from` and `to` are ISO 8601, inclusive; `after` is a former page's `next`. A page may have fewer than `limit`. */
  history(query: { bucket: string; key: string; from?: string; to?: string; after?: string; limit: number }): Promise<HistoryPage>;
}

export function createAuditTrail(dynamodb: DynamoDBClient, tableName: string): AuditTrail {
  return {
    async append(events) {
      await writeItems(dynamodb, tableName, events.map(eventItem));
    },

    async appendNew(events) {
      await Promise.all(events.map((event) => writeNewItem(dynamodb, tableName, eventItem(event))));
    },

    async history({ bucket, key, from = '', to, after, limit }) {
      const pk = partition(bucket, key);
      // `~` follows every character of a sort key, so that the end is inclusive.
      const end = `${to ?? ''}~`;
      const range = { ':pk': { S: pk }, ':from': { S: from === '' ? ' ' : positionFrom(from) }, ':to': { S: end } };
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
      return { events: events.filter((event) => happenedWithin(event, from, end)), next: answer.LastEvaluatedKey?.sk?.S ?? null };
    },
  };
}

/** As it stands in the table. */
export function eventItem(event: AuditEvent): TableItem {
  return { pk: partition(event.bucket, event.key), sk: eventSortKey(event), event };
}

function partition(bucket: string, key: string): string {
  return `audit#${bucket}/${key}`;
}
