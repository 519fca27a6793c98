/** A message of the AWS Encryption SDK → plaintext, never a byte of it before its frame is proven. */
import { getDecryptionHelper, type NodeDecryptionMaterial } from '@aws-crypto/client-node';
import { decodeFrameBodyHeader, type HeaderInfo } from '@aws-crypto/serialize';
import { WRAPPING_NAMESPACE } from './aes-keys.ts';
import { type ByteReader, lengthOf } from './byte-reader.ts';
import type { EncryptionContext, OpeningKeys } from './data-keys.ts';
import { asBuffer, frameAad } from './format.ts';
import { type FrameSpan, IV_BYTES, TAG_BYTES } from './layout.ts';
import { invalid, type MessageHead, type WrappedUnder } from './message-head.ts';

/** Opened once: whoever has read `plaintext` or `frames` to their end, or ended them, has let the data key go. */
export interface UnlockedMessage {
  head: MessageHead;
  /** The key that opened it, whatever else its header names. */
  openedBy: WrappedUnder;
  /**
   * @param ciphertext what follows the header, a reader that has read it
   * @throws SealdropError `ciphertext-invalid` at the first frame that is not as it was written, where the message is cut, and where anything follows it
   */
  plaintext(ciphertext: ByteReader): AsyncGenerator<Buffer>;
  /** The same of some frames alone, which prove themselves but neither a signature nor what is missing after them. @param ciphertext these frames */
  frames(ciphertext: ByteReader, span: Pick<FrameSpan, 'first' | 'last' | 'untilEnd'>): AsyncGenerator<Buffer>;
}

/**
 * Has the data key decrypted, compares the commitment and proves the header.
 * @param expected what the context must say; it may say more
 * @throws SealdropError `ciphertext-invalid`, or of the wrapping key
 */
export async function unlock(head: MessageHead, expected: EncryptionContext, keys: OpeningKeys): Promise<UnlockedMessage> {
  for (const [name, value] of Object.entries(expected)) {
    if (head.context[name] !== value) throw invalid(`the message is not for this object: its encryption context says another ${name}`);
  }
  const material = await keys.toOpen(head);
  const openedBy = openerOf(material);
  const { messageHeader, rawHeader, headerAuth } = head.info;
  const { getDecipherInfo, getVerify, dispose } = getDecryptionHelper(material);
  const proven = <T>(what: string, prove: () => T): T => {
    try {
      return prove();
    } catch (cause) {
      dispose();
      throw invalid(`${what} is not as it was written`, cause);
    }
  };
  const getDecipher = proven('the header', () => {
    const made = getDecipherInfo(messageHeader.messageId, 'suiteData' in messageHeader ? messageHeader.suiteData : undefined);
    const decipher = made(headerAuth.headerIv);
    decipher.setAAD(asBuffer(rawHeader));
    decipher.setAuthTag(asBuffer(headerAuth.headerAuthTag));
    decipher.final();
    return made;
  });

  async function openFrame(reader: ByteReader, sequence: number, expectFinal: boolean | null, seen: (pieces: Buffer[]) => void) {
    const what = `frame ${sequence}`;
    const bodyHeader = await readFrameHeader(reader, head, what);
    const { contentLength, isFinalFrame, iv, sequenceNumber } = bodyHeader.header;
    if (sequenceNumber !== sequence) throw invalid(`${what} is not where it was written`);
    if (expectFinal !== null && isFinalFrame !== expectFinal) throw invalid(`${what} is ${isFinalFrame ? '' : 'not '}the last one`);
    const content = await reader.take(contentLength);
    const tag = await reader.take(TAG_BYTES);
    if (lengthOf(content) < contentLength || lengthOf(tag) < TAG_BYTES) throw invalid(`the message ends within ${what}`);
    const clear = proven(what, () => {
      const decipher = getDecipher(iv);
      decipher.setAAD(frameAad(messageHeader, sequence, isFinalFrame, contentLength));
      decipher.setAuthTag(Buffer.concat(tag));
      const pieces = content.map((piece) => decipher.update(piece));
      decipher.final();
      return pieces;
    });
    seen([...bodyHeader.bytes, ...content, ...tag]);
    return { clear, isFinalFrame };
  }

  async function* plaintext(reader: ByteReader) {
    const verify = getVerify?.();
    verify?.update(asBuffer(rawHeader)).update(authBytes(head));
    try {
      for (let sequence = 1; ; sequence += 1) {
        const { clear, isFinalFrame } = await openFrame(reader, sequence, null, (pieces) => {
          if (verify !== undefined) for (const piece of pieces) verify.update(piece);
        });
        if (!isFinalFrame) {
          yield* clear;
          continue;
        }
        // The last frame is held back until nothing can speak against the whole any more.
        if (verify !== undefined) await verifySignature(reader, (signature) => verify.awsCryptoVerify(signature));
        if (!(await reader.ended())) throw invalid('something follows the message');
        yield* clear;
        return;
      }
    } finally {
      dispose();
      await reader.close();
    }
  }

  async function* frames(reader: ByteReader, { first, last, untilEnd }: Pick<FrameSpan, 'first' | 'last' | 'untilEnd'>) {
    try {
      for (let sequence = first; sequence <= last; sequence += 1) {
        const { clear } = await openFrame(reader, sequence, untilEnd && sequence === last, () => {});
        if (sequence === last && !(await reader.ended())) throw invalid('something follows the frames');
        yield* clear;
      }
    } finally {
      dispose();
      await reader.close();
    }
  }

  return { head, openedBy, plaintext, frames };
}

/** The keyring notes which key decrypted the data key. */
function openerOf({ keyringTrace: [opener] }: NodeDecryptionMaterial): WrappedUnder {
  if (opener?.keyNamespace === 'aws-kms') return { keyArn: opener.keyName };
  return opener?.keyNamespace === WRAPPING_NAMESPACE ? { wrappingKeyVersion: opener.keyName } : {};
}

async function readFrameHeader(reader: ByteReader, { info }: MessageHead, what: string) {
  let bytes: Buffer[] = await reader.take(4 + IV_BYTES);
  let header = decoded(bytes, info, what);
  if (header === null) {
    // The last frame's is longer.
    bytes = [...bytes, ...(await reader.take(4 + 4))];
    header = decoded(bytes, info, what);
  }
  if (header === null) throw invalid(`the message ends before its last frame, at ${what}`);
  return { header, bytes };
}

function decoded(bytes: Buffer[], info: HeaderInfo, what: string) {
  try {
    return decodeFrameBodyHeader(Buffer.concat(bytes), info, 0) || null;
  } catch (cause) {
    throw invalid(`${what} is not as it was written`, cause);
  }
}

/** Of version 2 the tag alone; its IV is always the same. */
function authBytes({ info, layout }: MessageHead): Buffer {
  const tag = asBuffer(info.headerAuth.headerAuthTag);
  if (info.headerLength + tag.length !== layout.headerBytes) throw invalid('the header is not of version 2');
  return tag;
}

/** https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html#footer-structure */
async function verifySignature(reader: ByteReader, verify: (signature: Buffer) => boolean): Promise<void> {
  const length = Buffer.concat(await reader.take(2));
  const signature = length.length < 2 ? length : Buffer.concat(await reader.take(length.readUInt16BE(0)));
  let good = false;
  try {
    good = length.length === 2 && verify(signature);
  } catch (cause) {
    throw invalid('the signature is none', cause);
  }
  if (!good) throw invalid('the signature is not that of the message');
}
