/** What a copy is asked to do, and how far it came. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { CustomerKey, EncryptionDescription, ResolvedEncryption } from '../encryption/index.ts';
import type { CopyProgress, ObjectRef } from '../events/index.ts';
import type { Decryption, StorageClass } from '../policy/schema.ts';
import type { ReaderDeps } from '../s3-encryption-client/index.ts';
import type { CopyLimits } from './plan.ts';
import type { Sealer } from './sealer.ts';

export interface CopyDeps {
  s3: S3Client;
  targetBucket: string;
  /** The accounts that must own target and source: a bucket of the same name that somebody else made is refused. */
  targetBucketOwner: string;
  ingestBucketOwner: string;
  limits: CopyLimits;
  /** For what is encrypted before S3 sees it; absent: nothing is. */
  sealer?: Sealer;
  /** For sources that were encrypted before they were dropped; absent: none are opened. */
  decryptor?: Decryptor;
  /** No part is begun after it. */
  stop?: AbortSignal;
  /** Gives calls up as `time-out`; later than `stop`. */
  signal?: AbortSignal;
}

/** What opens sources of the Amazon S3 Encryption Client. */
export interface Decryptor extends Pick<ReaderDeps, 'kms' | 'kmsKeyArns' | 'wrappingKey' | 'legacy'> {
  /** Of the source as it is stored; larger ones are refused. */
  upToBytes: number;
}

export interface CopyJob {
  ref: ObjectRef;
  /** Opens a source under SSE-C; without it the source is under none. */
  sourceKey?: CustomerKey | null;
  /** What the copy is called; as its source unless said. */
  targetKey?: string;
  encryption: ResolvedEncryption;
  /** What the source is decrypted from first. */
  decrypt?: Decryption;
  storageClass: StorageClass;
  /** An upload that an earlier run of the same source began. */
  saved: SavedUpload | null;
  /** Of the uploads of the same key that S3 lists, those that others may be at: all else is ended before a new one begins. A throw ends the job. */
  spared: Spared;
  /** Called once a new upload is there and before its first part: what it is given comes back as `saved`. A throw ends the job. */
  began: (upload: SavedUpload) => Promise<void>;
}

/** An upload of the target's key that is under way, or that was left. */
export interface ListedUpload {
  uploadId: string;
  /** When it began. */
  initiated: Date | null;
}

/** @returns the ids of those that are left alone */
export type Spared = (listed: ListedUpload[]) => Promise<string[]>;

/** Enough to go on with an upload, or to see that it cannot be gone on with. */
export interface SavedUpload {
  uploadId: string;
  partBytes: number;
  /** Parts belong to an upload under one encryption. */
  encryption: EncryptionDescription;
}

/** What the target's object must be for a copy to take its place: the one of this ETag (without quotes), or none. */
export type TargetCondition = { etag: string } | 'absent';

/** All that takes long is done; nothing is to be seen in the target yet. */
export interface PreparedCopy {
  /**
   * Makes the copy the target's current object. May be called again after `target-changed`.
   * @throws SealdropError `target-changed` where the target is not as `condition` says; `answer-mismatch`, or of source, keys and target
   */
  commit(condition: TargetCondition): Promise<StoredCopy>;
  /** Leaves no upload behind. Does not throw: what is left is aborted by the bucket's lifecycle at last. */
  abandon(): Promise<void>;
}

/** `unfinished`: time ended or S3 was busy, with new parts since the beginning of this run; the next run goes on with what `began` was given. */
export type Preparation = { ready: PreparedCopy } | { unfinished: CopyProgress };

export interface StoredChecksum {
  algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
  value: string;
  type: string;
}

/**
 * Why the copy's bytes are the source's. `source-pinned`: S3 copied the very version in one call. `checksum-compared`: of the whole
 * object, on both sides. `parts-pinned`: each part was pinned to the source's ETag and the sizes add up; the source has no checksum to compare.
 * `streamed`: the source was read by our code, pinned to its version, in its full length and by its checksum where it has one; what was made of
 * it has the checksum that S3 found.
 */
export type CopyProof = 'source-pinned' | 'checksum-compared' | 'parts-pinned' | 'streamed';

/** Of a copy that was encrypted before S3 saw it. */
export interface Envelope {
  /** In base64; authenticated with the message's header, so that no other message can stand in for this one. */
  messageId: string;
  /** Bytes of the message. */
  messageBytes: number;
  /** Of the source, where S3 knew one. */
  plaintextChecksum?: StoredChecksum;
}

/** What the target holds now, as its answers said. */
export interface StoredCopy {
  /** Without quotes. */
  etag: string;
  versionId?: string;
  checksum?: StoredChecksum;
  proof: CopyProof;
  /** Of a copy in parts: the upload that became it. */
  uploadId?: string;
  /** Bytes of the plaintext, where they are not the source's: it was decrypted first. */
  size?: number;
  envelope?: Envelope;
  /** ISO 8601: it was found, not made now, and is no older than this. */
  foundSince?: string;
}
