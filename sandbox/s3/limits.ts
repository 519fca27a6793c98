/** S3's limits; tests lower them. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface Limits {
  /** The largest body of PutObject, and the largest part. */
  maxPutBytes: number;
  /** The largest source of CopyObject; above it clients use UploadPartCopy. */
  maxCopyBytes: number;
  /** Every part but the last is at least this large. */
  minPartBytes: number;
  /** Only of larger sources may a range be copied. */
  minRangeSourceBytes: number;
  maxParts: number;
  /** The largest page of a listing, and the largest DeleteObjects request. */
  maxKeys: number;
  maxKeyBytes: number;
  maxMetadataBytes: number;
  maxTags: number;
  /** Bodies up to this size are handled in one piece, larger ones are streamed. */
  inMemoryBytes: number;
  /** Copies of more bytes are made in a thread. */
  threadBytes: number;
  /** Bytes up to this size are kept in a row, more of them in a file. */
  rowBytes: number;
}

export const S3_LIMITS: Limits = {
  maxPutBytes: 5 * GIB,
  maxCopyBytes: 5 * GIB,
  minPartBytes: 5 * MIB,
  minRangeSourceBytes: 5 * MIB,
  maxParts: 10_000,
  maxKeys: 1000,
  maxKeyBytes: 1024,
  maxMetadataBytes: 2 * KIB,
  maxTags: 10,
  inMemoryBytes: 256 * KIB,
  threadBytes: 8 * MIB,
  rowBytes: 64 * KIB,
};
