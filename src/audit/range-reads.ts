/**
 * Reads by ranges: a player or a download manager asks hundreds of times for parts of one object, which is one event in its history. The first
 * range within five minutes writes it; each later one adds an item beside it, which history counts. Nothing is ever changed.
 */
import { createHash } from 'node:crypto';
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { ByteRange } from '../http/range.ts';
import { createRecent } from '../recent.ts';
import { type AuditEvent, eventSortKey, readWindow } from './event.ts';
import { tableError } from './table-error.ts';
import { eventItem } from './trail.ts';
import { writeItems, writeNewItem } from './write-items.ts';

/** Both throw SealdropError `audit-unavailable`. */
export interface RangeReads {
  /** Writes one item, or two where another function began the event. @param event of this one range; its request makes it unique */
  record(event: AuditEvent, range: ByteRange): Promise<void>;
  /** How many ranges an event stands for. */
  count(event: AuditEvent): Promise<number>;
}

/** Events that this function knows to be written; whichever is forgotten is found again by its condition. */
const MOST_KNOWN = 10_000;

export function createRangeReads(dynamodb: DynamoDBClient, tableName: string): RangeReads {
  const written = createRecent<true>(MOST_KNOWN);
  return {
    async record(range, bytes) {
      const read = { at: range.at, correlationId: range.correlationId, bytes: `${bytes.first}-${bytes.last}` };
      const event = { ...range, window: readWindow(Date.parse(range.at)), uniqueId: readerOf(range), bytes: read.bytes };
      const name = `${partition(event)} ${eventSortKey(event)}`;
      if (written.get(name) === undefined) {
        const isFirst = await writeNewItem(dynamodb, tableName, eventItem(event));
        written.put(name, true);
        if (isFirst) return;
      }
      await writeItems(dynamodb, tableName, [{ pk: partition(event), sk: `${eventSortKey(event)}#${range.uniqueId}`, read }]);
    },

    async count(event) {
      let later = 0;
      let after: Record<string, AttributeValue> | undefined;
      do {
        const query = new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
          ExpressionAttributeValues: { ':pk': { S: partition(event) }, ':event': { S: `${eventSortKey(event)}#` } },
          Select: 'COUNT',
          ConsistentRead: true,
          ...(after === undefined ? {} : { ExclusiveStartKey: after }),
        });
        const answer = await dynamodb.send(query).catch((error: unknown) => {
          throw tableError(error, event);
        });
        later += answer.Count ?? 0;
        after = answer.LastEvaluatedKey;
      } while (after !== undefined);
      return 1 + later;
    },
  };
}

/** The same for every range that one caller reads of one version. */
function readerOf({ actor, versionId, etag }: AuditEvent): string {
  return createHash('sha256')
    .update(JSON.stringify([actor, versionId ?? etag]))
    .digest('hex')
    .slice(0, 32);
}

function partition({ bucket, key }: AuditEvent): string {
  return `reads#${bucket}/${key}`;
}
