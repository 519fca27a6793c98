/** What we know of an object in the target bucket: which sources were copied, and which somebody is about to copy. */
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { CopyProof, Envelope, SavedUpload, StoredChecksum } from '../copy/copy-job.ts';
import type { EncryptionDescription } from '../encryption/index.ts';
import { SealdropError } from '../errors.ts';
import { compareSequencers } from '../events/index.ts';
import { tableError } from './table-error.ts';
import { writeItems } from './write-items.ts';

export interface ObjectRecord {
  bucket: string;
  key: string;
  encryption: EncryptionDescription;
  etag: string;
  versionId?: string;
  /** As S3 stored it with the copy. */
  checksum?: StoredChecksum;
  /** Of a copy in parts: the upload that became it. */
  uploadId?: string;
  /** Of a copy that was encrypted before S3 saw it; `checksum` is then that of the message, `size` that of the source. */
  envelope?: Envelope;
  /** Why the copy's bytes are the source's. */
  proof: CopyProof;
  /** Bytes. */
  size: number;
  policyFingerprint: string;
  /** All that its event told, so that it can be copied again. */
  source: {
    bucket: string;
    etag: string;
    versionId?: string;
    sequencer: string;
    eventTime: string;
    correlationId: string;
    requester?: string;
  };
  /** ISO 8601: when the copy was committed. */
  encryptedAt: string;
}

/** Somebody is about to copy a source: written before the copy is, so that whoever copies an older one finds it. */
export interface Claim {
  bucket: string;
  key: string;
  /** Sequencers of two buckets cannot be compared. */
  sourceBucket: string;
  sequencer: string;
  /** Of the attempt: a second one that fails does not end the first. */
  id: string;
  /** ISO 8601. `CLAIM_LIFETIME_MS` later it counts for nothing. */
  claimedAt: string;
  /** The attempt came to an end without a record; older sources need not wait for it. */
  ended?: true;
  upload?: SavedUpload;
}

/** How one source stands among all of its key and its bucket. */
export interface KeyState {
  /** Of the newest source that was copied; of several copies of it the last. */
  newest: ObjectRecord | null;
  /** What attempts at this source began and may have left, the last first. */
  uploads: SavedUpload[];
  /** The newest claim of a newer source that may still be copied. */
  newer: Claim | null;
  /** What attempts at newer sources began, whether they live or not: it is theirs. */
  newerUploads: SavedUpload[];
}

/** Which source is looked from. */
export type SourcePlace = Pick<ObjectRecord['source'], 'bucket' | 'sequencer'>;

/** All throw SealdropError `audit-unavailable`, also where a key has more items than can be looked through. */
export interface ObjectRecords {
  /** The record of the newest source; `null`: there is none. */
  latest(bucket: string, key: string, signal?: AbortSignal): Promise<ObjectRecord | null>;
  /**
   * The record of one version of the target, or, without a version id, of an unversioned object by its etag. `null`: none.
   * @param signal gives the look-up up
   */
  find(bucket: string, key: string, stored: { versionId?: string; etag: string }, signal?: AbortSignal): Promise<ObjectRecord | null>;
  /** One Query; what is older than the newest record is not looked at. */
  look(bucket: string, key: string, source: SourcePlace, signal?: AbortSignal): Promise<KeyState>;
  /** Whether a copy of this key was under way at that moment (ISO 8601), as its claims tell. */
  wasClaimed(bucket: string, key: string, at: string, signal?: AbortSignal): Promise<boolean>;
  /** Whether some version of this key is recorded to be this message. */
  knowsMessage(bucket: string, key: string, messageId: string, signal?: AbortSignal): Promise<boolean>;
  /** Writes all or throws. A later claim of the same attempt takes the place of an earlier one. */
  claim(claims: Claim[]): Promise<void>;
  /** Writes all or throws. Every copy has a record of its own, so that an older one never hides a newer. */
  append(records: ObjectRecord[], ended?: Claim[]): Promise<void>;
}

/** Longer than any invocation lives: whoever claimed so long ago is dead, or has claimed again. */
export const CLAIM_LIFETIME_MS = 15 * 60_000;

/** S3's clock and ours. */
const CLOCKS_DIFFER_MS = 60_000;

const PREFIX = 'source#';

/** How many items of a key are read at first: most keys have two, a claim and a record of one source. */
const PAGE = 20;
/** Further pages have 1 MB, some two thousand items. */
const MAX_PAGES = 50;

/** Longer than any sequencer seen (18 digits); padded to it they sort as they are ordered. */
const SEQUENCER_DIGITS = 64;

/** @param now milliseconds; for tests */
export function createObjectRecords(dynamodb: DynamoDBClient, tableName: string, now: () => number = Date.now): ObjectRecords {
  /** Newest source first, and of one source its records before its claims, each the latest first. */
  async function* items(
    bucket: string,
    key: string,
    signal?: AbortSignal,
    firstPage = PAGE,
    /** Asked before a further page. */
    enough = () => false,
  ): AsyncGenerator<{ record?: ObjectRecord; claim?: Claim }> {
    let after: Record<string, AttributeValue> | undefined;
    for (let count = 0; count < MAX_PAGES; count += 1) {
      const answer = await dynamodb
        .send(
          new QueryCommand({
            TableName: tableName,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
            ExpressionAttributeValues: { ':pk': { S: partition(bucket, key) }, ':prefix': { S: PREFIX } },
            ScanIndexForward: false,
            ...(count === 0 ? { Limit: firstPage } : {}),
            ConsistentRead: true,
            ...(after === undefined ? {} : { ExclusiveStartKey: after }),
          }),
          signal && { abortSignal: signal },
        )
        .catch((error: unknown) => {
          throw tableError(error, { bucket, key });
        });
      // Only this file writes under this key, so the stored shape is one of the two.
      for (const item of answer.Items ?? []) yield unmarshall(item) as { record?: ObjectRecord; claim?: Claim };
      after = answer.LastEvaluatedKey;
      if (after === undefined || enough()) return;
    }
    throw new SealdropError('audit-unavailable', `the audit table has more items of this key than can be looked through`, {
      object: { bucket, key },
    });
  }

  return {
    async latest(bucket, key, signal) {
      for await (const { record } of items(bucket, key, signal, 1)) if (record !== undefined) return record;
      return null;
    },

    async find(bucket, key, stored, signal) {
      for await (const { record } of items(bucket, key, signal)) if (record !== undefined && isOf(record, stored)) return record;
      return null;
    },

    async look(bucket, key, source, signal) {
      const state: KeyState = { newest: null, uploads: [], newer: null, newerUploads: [] };
      const orderOf = (sequencer: string) => compareSequencers(sequencer, source.sequencer);
      // A newer record says all but what this source itself may have left, far below.
      const enough = () => state.newest !== null && orderOf(state.newest.source.sequencer) > 0;
      for await (const { record, claim } of items(bucket, key, signal, PAGE, enough)) {
        if ((record?.source.bucket ?? claim?.sourceBucket) !== source.bucket) continue;
        state.newest ??= record ?? null;
        const order = orderOf(record?.source.sequencer ?? claim?.sequencer ?? '');
        if (claim?.upload !== undefined && order >= 0) (order === 0 ? state.uploads : state.newerUploads).push(claim.upload);
        if (claim !== undefined && order > 0 && isLive(claim, now())) state.newer ??= claim;
        if (state.newest !== null && order < 0) break;
      }
      return state;
    },

    async wasClaimed(bucket, key, at, signal) {
      const moment = Date.parse(at);
      for await (const { claim } of items(bucket, key, signal)) {
        if (claim === undefined) continue;
        const after = moment - Date.parse(claim.claimedAt);
        if (after >= -CLOCKS_DIFFER_MS && after <= CLAIM_LIFETIME_MS) return true;
      }
      return false;
    },

    async knowsMessage(bucket, key, messageId, signal) {
      for await (const { record } of items(bucket, key, signal)) if (record?.envelope?.messageId === messageId) return true;
      return false;
    },

    async claim(claims) {
      await writeItems(dynamodb, tableName, claims.map(claimItem));
    },

    async append(records, ended = []) {
      await writeItems(dynamodb, tableName, [...records.map(recordItem), ...ended.map(claimItem)]);
    },
  };
}

function isLive({ ended, claimedAt }: Claim, now: number): boolean {
  return ended !== true && now - Date.parse(claimedAt) < CLAIM_LIFETIME_MS;
}

/** S3 calls the version of a suspended bucket null; its events leave it out. */
function isOf(record: ObjectRecord, stored: { versionId?: string; etag: string }): boolean {
  const [recorded, asked] = [record, stored].map(({ versionId }) => (versionId === 'null' ? undefined : versionId));
  return asked === undefined ? recorded === undefined && record.etag === stored.etag : recorded === asked;
}

function claimItem(claim: Claim) {
  return { pk: partition(claim.bucket, claim.key), sk: `${sourceKey(claim.sequencer)}#claim#${claim.claimedAt}#${claim.id}`, claim };
}

function recordItem(record: ObjectRecord) {
  const { bucket, key, source, encryptedAt } = record;
  return { pk: partition(bucket, key), sk: `${sourceKey(source.sequencer)}#record#${encryptedAt}`, record };
}

function partition(bucket: string, key: string): string {
  return `object#${bucket}/${key}`;
}

function sourceKey(sequencer: string): string {
  return `${PREFIX}${sequencer.toUpperCase().padStart(SEQUENCER_DIGITS, '0')}`;
}
