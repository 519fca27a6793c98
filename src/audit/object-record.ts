/** What we know of an object in the target bucket. */
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { StoredChecksum } from '../copy/copy-object.ts';
import type { EncryptionDescription } from '../encryption/index.ts';
import { tableError } from './table-error.ts';
import { writeItems } from './write-items.ts';

export interface ObjectRecord {
  bucket: string;
  key: string;
  encryption: EncryptionDescription;
  etag: string;
  versionId?: string;
  /** As S3 stored it with the copy; for a single copy S3 itself carried it over. */
  checksum?: StoredChecksum;
  /** Bytes. */
  size: number;
  policyFingerprint: string;
  source: { bucket: string; etag: string; versionId?: string; sequencer: string };
  /** ISO 8601. */
  encryptedAt: string;
}

/** Both throw SealdropError `audit-unavailable`. */
export interface ObjectRecords {
  /** The record of the newest source; `null`: there is none. */
  latest(bucket: string, key: string): Promise<ObjectRecord | null>;
  /** Writes all or throws. Each source of an object has a record of its own, so that an older one never hides a newer. */
  append(records: ObjectRecord[]): Promise<void>;
}

const PREFIX = 'record#';

/** Longer than any sequencer seen (18 digits); padded to it they sort as they are ordered. */
const SEQUENCER_DIGITS = 64;

export function createObjectRecords(dynamodb: DynamoDBClient, tableName: string): ObjectRecords {
  return {
    async latest(bucket, key) {
      const answer = await dynamodb
        .send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
            ExpressionAttributeValues: { ':pk': { S: partition(bucket, key) }, ':prefix': { S: PREFIX } },
            ScanIndexForward: false,
            Limit: 1,
            ConsistentRead: true,
          }),
        )
        .catch((error: unknown) => {
          throw tableError(error, { bucket, key });
        });
      const [item] = answer.Items ?? [];
      // Only `append` writes under this key, so the stored shape is the record's.
      return item === undefined ? null : (unmarshall(item).record as ObjectRecord);
    },

    async append(records) {
      const items = records.map((record) => ({ pk: partition(record.bucket, record.key), sk: sortKey(record), record }));
      await writeItems(dynamodb, tableName, items);
    },
  };
}

function partition(bucket: string, key: string): string {
  return `object#${bucket}/${key}`;
}

function sortKey({ source }: ObjectRecord): string {
  return `${PREFIX}${source.sequencer.toUpperCase().padStart(SEQUENCER_DIGITS, '0')}`;
}
