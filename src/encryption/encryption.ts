/**
 * An encryption as it is applied: the policy's mode with its keys resolved to a full ARN or to key material.
 * What the policy says (`Encryption` in src/policy) names keys; this one carries what a request needs.
 */
import type { EncryptionMode } from '../policy/schema.ts';

export type { EncryptionMode };

/** A version of a 256-bit key that is kept in Secrets Manager. `material` is not enumerable, so that no log or JSON ever shows it. */
export interface SecretKey {
  /** Secrets Manager's version id. */
  readonly versionId: string;
  /** 32 bytes. */
  readonly material: Buffer;
}

/** The SSE-C key, which S3 is given with every request. */
export type CustomerKey = SecretKey;

/** The key as a request and its answer name it. */
interface ResolvedKmsKey {
  keyArn: string;
  /** It is `aws/s3`: S3 takes it when a write names no key, and a bucket policy can tell such a write from any other. */
  managed?: true;
}

interface ResolvedByMode {
  'sse-s3': { mode: 'sse-s3' };
  'sse-kms': { mode: 'sse-kms'; bucketKey: boolean } & ResolvedKmsKey;
  'dsse-kms': { mode: 'dsse-kms' } & ResolvedKmsKey;
  'sse-c': { mode: 'sse-c'; customerKey: CustomerKey };
  'cse-kms': { mode: 'cse-kms'; keyArn: string; reuseDataKey: boolean } & ClientSide;
  'cse-aes': { mode: 'cse-aes'; wrappingKey: SecretKey } & ClientSide;
}

interface ClientSide {
  /** How S3 encrypts the message once more. */
  stored: ResolvedByMode['sse-kms'];
  /** Of the source; larger ones are refused. */
  upToBytes: number;
}

export type ResolvedEncryption<Mode extends EncryptionMode = EncryptionMode> = ResolvedByMode[Mode];

/** How an object is encrypted, without secrets: what records, events and tables show. */
export interface EncryptionDescription {
  mode: EncryptionMode;
  keyArn?: string;
  bucketKey?: boolean;
  customerKeyVersion?: string;
  wrappingKeyVersion?: string;
}

/** The members of CopyObject and CreateMultipartUpload that choose the target's encryption. */
export interface WriteParameters {
  ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  SSEKMSKeyId?: string;
  BucketKeyEnabled?: boolean;
  SSECustomerAlgorithm?: 'AES256';
  /** Base64; the SDK adds its MD5. */
  SSECustomerKey?: string;
}

/** The only encryption members that UploadPartCopy, GetObject and HeadObject take. */
export type KeyParameters = Pick<WriteParameters, 'SSECustomerAlgorithm' | 'SSECustomerKey'>;

/** All that S3's answer to a write says about encryption. */
export interface EncryptionAnswer {
  ServerSideEncryption?: string | undefined;
  SSEKMSKeyId?: string | undefined;
  BucketKeyEnabled?: boolean | undefined;
  SSECustomerAlgorithm?: string | undefined;
  SSECustomerKeyMD5?: string | undefined;
}

/** One way of protecting an object, as S3 is told of it. */
export interface ModeAtS3<Mode extends EncryptionMode> {
  writeParameters(encryption: ResolvedEncryption<Mode>): WriteParameters;
  keyParameters(encryption: ResolvedEncryption<Mode>): KeyParameters;
  /** The answer of a write that did what was asked; a member left out must be absent (a Bucket Key: absent or `false`). */
  expectedAnswer(encryption: ResolvedEncryption<Mode>): EncryptionAnswer;
  describe(encryption: ResolvedEncryption<Mode>): EncryptionDescription;
}

/** @param material 32 bytes, kept by reference */
export function secretKey(versionId: string, material: Buffer): SecretKey {
  return Object.defineProperty({ versionId, material }, 'material', { enumerable: false });
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-server-side-encryption-aws-kms-key-id) */
export function keyHeader({ keyArn, managed }: ResolvedKmsKey): Pick<WriteParameters, 'SSEKMSKeyId'> {
  return managed ? {} : { SSEKMSKeyId: keyArn };
}
