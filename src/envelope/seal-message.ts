/** Plaintext → a message of the AWS Encryption SDK. */
import { randomBytes } from 'node:crypto';
import { getEncryptHelper } from '@aws-crypto/client-node';
import { type MessageHeader, serializeMessageHeaderAuth } from '@aws-crypto/serialize';
import { byteReader, lengthOf } from './byte-reader.ts';
import type { EncryptionContext, SealingKeys } from './data-keys.ts';
import { asBuffer, frameAad, writing } from './format.ts';
import type { Layout } from './layout.ts';
import { FRAME_BYTES, SUITE } from './suite.ts';

/** https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html#header-structure (version 2) */
const MESSAGE_ID_BYTES = 32;

export interface SealedMessage {
  /** 32 bytes in base64: no other message has the same. */
  messageId: string;
  layout: Layout;
  /** The message, header first; a frame's content is read before anything of the frame is yielded. Throws what the plaintext's stream throws. */
  chunks: AsyncGenerator<Uint8Array>;
}

export interface SealOptions {
  context: EncryptionContext;
  dataKeys: SealingKeys;
  /** Where it is known: without it a data key is not reused. */
  plaintextBytes?: number;
  /** Content of a frame, in bytes. */
  frameBytes?: number;
}

/** @throws SealdropError of the wrapping key */
export async function sealMessage(plaintext: AsyncIterable<Uint8Array>, options: SealOptions): Promise<SealedMessage> {
  const { context, dataKeys, frameBytes = FRAME_BYTES } = options;
  const material = await dataKeys.toSeal(context, options.plaintextBytes);
  const { getCipherInfo, dispose } = getEncryptHelper(material);
  const messageId = randomBytes(MESSAGE_ID_BYTES);
  const { getCipher, keyCommitment } = getCipherInfo(messageId);
  const { encryptionContext, encryptedDataKeys } = material;
  const header = writing.buildMessageHeader({
    suite: SUITE,
    encryptionContext,
    encryptedDataKeys,
    messageId,
    frameLength: frameBytes,
    ...(keyCommitment === undefined ? {} : { suiteData: keyCommitment }),
  });
  const headerBytes = sealedHeader(header, getCipher);

  async function* chunks() {
    const reader = byteReader(plaintext);
    try {
      yield headerBytes;
      for (let sequence = 1; ; sequence += 1) {
        const content = await reader.take(frameBytes);
        const isFinal = lengthOf(content) < frameBytes;
        yield* sealedFrame(header, sequence, content, isFinal, getCipher);
        if (isFinal) return;
      }
    } finally {
      dispose();
      await reader.close();
    }
  }
  return { messageId: messageId.toString('base64'), layout: { headerBytes: headerBytes.length, frameBytes }, chunks: chunks() };
}

type GetCipher = ReturnType<ReturnType<typeof getEncryptHelper>['getCipherInfo']>['getCipher'];

function sealedHeader(header: MessageHeader, getCipher: GetCipher): Buffer {
  const raw = asBuffer(writing.serializeMessageHeader(header));
  const headerIv = writing.headerAuthIv(SUITE.ivLength);
  const cipher = getCipher(headerIv);
  cipher.setAAD(raw);
  cipher.final();
  return Buffer.concat([raw, serializeMessageHeaderAuth({ headerIv, headerAuthTag: cipher.getAuthTag(), messageHeader: header })]);
}

function* sealedFrame(
  header: MessageHeader,
  sequence: number,
  content: Buffer[],
  isFinal: boolean,
  getCipher: GetCipher,
): Generator<Uint8Array> {
  const contentBytes = lengthOf(content);
  const iv = writing.frameIv(SUITE.ivLength, sequence);
  const cipher = getCipher(iv);
  cipher.setAAD(frameAad(header, sequence, isFinal, contentBytes));
  yield isFinal ? writing.finalFrameHeader(sequence, iv, contentBytes) : writing.frameHeader(sequence, iv);
  for (const piece of content) yield cipher.update(piece);
  cipher.final();
  yield cipher.getAuthTag();
}
