/** What we know of an object in the target bucket. */
import { ConditionalCheckFailedException, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { StoredChecksum } from '../copy/copy-object.ts';
import type { EncryptionDescription } from '../encryption/index.ts';
import { tableError } from './table-error.ts';

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

export interface ObjectRecords {
  /** `null`: no record. Throws SealdropError `audit-unavailable`. */
  get(bucket: string, key: string): Promise<ObjectRecord | null>;
  /** `superseded`: a record of a newer source stands and was left alone. Throws SealdropError `audit-unavailable`. */
  put(record: ObjectRecord): Promise<'written' | 'superseded'>;
}

/** Longer than any sequencer seen (18 digits); padded to it they compare as strings. */
const SEQUENCER_DIGITS = 64;

export function createObjectRecords(dynamodb: DynamoDBClient, tableName: string): ObjectRecords {
  return {
    async get(bucket, key) {
      const answer = await dynamodb
        .send(new GetItemCommand({ TableName: tableName, Key: marshall(recordKey(bucket, key)), ConsistentRead: true }))
        .catch((error: unknown) => {
          throw tableError(error, { bucket, key });
        });
      // Only `put` writes under this key, so the stored shape is the record's.
      return answer.Item === undefined ? null : (unmarshall(answer.Item).record as ObjectRecord);
    },

    async put(record) {
      const order = record.source.sequencer.toUpperCase().padStart(SEQUENCER_DIGITS, '0');
      const item = { ...recordKey(record.bucket, record.key), order, record };
      try {
        await dynamodb.send(
          new PutItemCommand({
            TableName: tableName,
            Item: marshall(item, { removeUndefinedValues: true }),
            ConditionExpression: 'attribute_not_exists(pk) OR #order <= :order',
            ExpressionAttributeNames: { '#order': 'order' },
            ExpressionAttributeValues: { ':order': { S: order } },
          }),
        );
        return 'written';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'superseded';
        throw tableError(error, record);
      }
    },
  };
}

function recordKey(bucket: string, key: string): { pk: string; sk: string } {
  return { pk: `object#${bucket}/${key}`, sk: 'record' };
}
