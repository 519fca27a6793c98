/** The Encryption SDK's own reading and writing of headers, and the data that authenticates a frame. */
import { NodeAlgorithmSuite } from '@aws-crypto/client-node';
import { aadFactory, deserializeFactory, type MessageHeader, serializeFactory } from '@aws-crypto/serialize';

/** The same memory. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const toUtf8 = (bytes: Uint8Array) => asBuffer(bytes).toString('utf8');
const fromUtf8 = (text: string) => Buffer.from(text, 'utf8');

export const reading = deserializeFactory(toUtf8, NodeAlgorithmSuite);
/** Sorted as UTF-8, as the specification and every other language have it. */
export const writing = serializeFactory(fromUtf8, { utf8Sorting: true });

const aad = aadFactory(fromUtf8);

/** https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/body-aad-reference.html */
export function frameAad({ messageId, contentType }: MessageHeader, sequence: number, isFinalFrame: boolean, contentBytes: number): Buffer {
  return asBuffer(aad.messageAAD(messageId, aad.messageAADContentString({ contentType, isFinalFrame }), sequence, contentBytes));
}
