/** What we know of an object in the target bucket. */
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
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

/** All throw SealdropError `audit-unavailable`. */
export interface ObjectRecords {
  /** The record of the newest source; `null`: there is none. */
  latest(bucket: string, key: string): Promise<ObjectRecord | null>;
  /**
   * The record of one version of the target, or, without a version id, of an unversioned object by its etag. `null`: none among
   * the newest thousand of its key.
   * @param signal gives the look-up up
   */
  find(bucket: string, key: string, stored: { versionId?: string; etag: string }, signal?: AbortSignal): Promise<ObjectRecord | null>;
  /** Writes all or throws. Each source of an object has a record of its own, so that an older one never hides a newer. */
  append(records: ObjectRecord[]): Promise<void>;
}

const PREFIX = 'record#';

/** How many records of a key are looked through for one version: most keys have a few, one a source. */
const PAGE = 50;
const MAX_PAGES = 20;

/** Longer than any sequencer seen (18 digits); padded to it they sort as they are ordered. */
const SEQUENCER_DIGITS = 64;

export function createObjectRecords(dynamodb: DynamoDBClient, tableName: string): ObjectRecords {
  /** Newest source first. */
  async function page(bucket: string, key: string, limit: number, after?: Record<string, AttributeValue>, signal?: AbortSignal) {
    const answer = await dynamodb
      .send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': { S: partition(bucket, key) }, ':prefix': { S: PREFIX } },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
          ...(after === undefined ? {} : { ExclusiveStartKey: after }),
        }),
        signal && { abortSignal: signal },
      )
      .catch((error: unknown) => {
        throw tableError(error, { bucket, key });
      });
    // Only `append` writes under this key, so the stored shape is the record's.
    const records = (answer.Items ?? []).map((item) => unmarshall(item).record as ObjectRecord);
    return { records, next: answer.LastEvaluatedKey };
  }

  return {
    async latest(bucket, key) {
      const { records } = await page(bucket, key, 1);
      return records[0] ?? null;
    },

    async find(bucket, key, stored, signal) {
      let after: Record<string, AttributeValue> | undefined;
      for (let count = 0; count < MAX_PAGES; count += 1) {
        const { records, next } = await page(bucket, key, PAGE, after, signal);
        const found = records.find((record) => isOf(record, stored));
        if (found !== undefined || next === undefined) return found ?? null;
        after = next;
      }
      return null;
    },

    async append(records) {
      const items = records.map((record) => ({ pk: partition(record.bucket, record.key), sk: sortKey(record), record }));
      await writeItems(dynamodb, tableName, items);
    },
  };
}

/** S3 calls the version of a suspended bucket null; its events leave it out. */
function isOf(record: ObjectRecord, { versionId, etag }: { versionId?: string; etag: string }): boolean {
  const recorded = record.versionId === 'null' ? undefined : record.versionId;
  return versionId === undefined ? recorded === undefined && record.etag === etag : recorded === versionId;
}

function partition(bucket: string, key: string): string {
  return `object#${bucket}/${key}`;
}

function sortKey({ source }: ObjectRecord): string {
  return `${PREFIX}${source.sequencer.toUpperCase().padStart(SEQUENCER_DIGITS, '0')}`;
}
