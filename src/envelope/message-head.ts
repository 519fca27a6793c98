/** The header of a message, as it stands there. */
import { CommitmentPolicySuites, NodeAlgorithmSuite } from '@aws-crypto/client-node';
import { ContentType, type HeaderInfo } from '@aws-crypto/serialize';
import { SealdropError } from '../errors.ts';
import { WRAPPING_NAMESPACE, wrappingKeyVersion } from './aes-keys.ts';
import { type ByteReader, lengthOf } from './byte-reader.ts';
import type { LockedKey } from './data-keys.ts';
import { reading } from './format.ts';
import type { Layout } from './layout.ts';
import { COMMITMENT, MAX_FRAME_BYTES, SIGNED_SUITE_ID, SUITE } from './suite.ts';

/** Beyond that it is no header: a key of 1,024 bytes and several data keys make some 3 KB. */
export const MAX_HEADER_BYTES = 64 * 1024;

const MAX_DATA_KEYS = 8;

/** Most headers have fewer. */
const HEADER_STEP_BYTES = 1024;

/** It is proven by `unlock` alone. */
export interface MessageHead extends LockedKey {
  layout: Layout;
  /** 32 bytes in base64. */
  messageId: string;
  signed: boolean;
  info: HeaderInfo;
}

/** @returns `null`: these bytes may be the beginning of one @throws SealdropError `ciphertext-invalid`: they are not, or not of one that is read here */
export function parseHead(bytes: Buffer): MessageHead | null {
  const info = parsed(bytes);
  if (info === null) return null;
  const { messageHeader, headerLength, headerAuth, algorithmSuite } = info;
  if (messageHeader.contentType !== ContentType.FRAMED_DATA) throw invalid('the message is not in frames');
  const { frameLength, messageId, encryptionContext, encryptedDataKeys } = messageHeader;
  if (frameLength < 1 || frameLength > MAX_FRAME_BYTES)
    throw invalid(`the message has frames of ${frameLength} bytes, of which at most ${MAX_FRAME_BYTES} are taken`);
  return {
    layout: { headerBytes: headerLength + headerAuth.headerAuthLength, frameBytes: frameLength },
    messageId: Buffer.from(messageId).toString('base64'),
    signed: algorithmSuite.id === SIGNED_SUITE_ID,
    suite: new NodeAlgorithmSuite(algorithmSuite.id),
    context: encryptionContext,
    encryptedDataKeys,
    info,
  };
}

/** A KMS key's ARN, or a version of the wrapping key's secret; neither: a key of somebody else's. */
export type WrappedUnder = { keyArn: string } | { wrappingKeyVersion: string } | Record<string, never>;

/** The key that a message says it is under. Which key opened it, `unlock` tells. */
export function wrappedUnder({ encryptedDataKeys }: LockedKey): WrappedUnder {
  const [first] = encryptedDataKeys;
  if (first?.providerId === 'aws-kms') return { keyArn: first.providerInfo };
  return first?.providerId === WRAPPING_NAMESPACE ? { wrappingKeyVersion: wrappingKeyVersion(first) } : {};
}

/** Reads as far as the header goes. @throws SealdropError `ciphertext-invalid`, and what the stream throws */
export async function readHead(reader: ByteReader): Promise<MessageHead> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const head = parseHead(bytes);
    if (head !== null) {
      reader.putBack(bytes.subarray(head.layout.headerBytes));
      return head;
    }
    const more = await reader.take(HEADER_STEP_BYTES);
    if (lengthOf(more) === 0) throw invalid('the message ends within its header');
    bytes = Buffer.concat([bytes, ...more]);
  }
}

function parsed(bytes: Buffer): HeaderInfo | null {
  try {
    const info = reading.deserializeMessageHeader(bytes, { maxEncryptedDataKeys: MAX_DATA_KEYS });
    if (info === false) {
      if (bytes.length > MAX_HEADER_BYTES) throw new Error('no end of a header');
      return null;
    }
    CommitmentPolicySuites.isDecryptEnabled(COMMITMENT, info.algorithmSuite, Buffer.from(info.messageHeader.messageId).toString('hex'));
    if (info.algorithmSuite.id !== SUITE.id && info.algorithmSuite.id !== SIGNED_SUITE_ID) throw new Error('another algorithm suite');
    return info;
  } catch (cause) {
    throw invalid('it is no message of the AWS Encryption SDK under a committing algorithm suite', cause);
  }
}

export function invalid(message: string, cause?: unknown): SealdropError {
  return new SealdropError('ciphertext-invalid', message, { cause });
}
