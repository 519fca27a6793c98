/** Client-side envelopes: messages of the AWS Encryption SDK, sealed before S3 sees them and opened after. */
export { aesOpeningKeys, aesSealingKeys, WRAPPING_NAMESPACE } from './aes-keys.ts';
export { byteReader } from './byte-reader.ts';
export type { EncryptionContext, OpeningKeys, SealingKeys } from './data-keys.ts';
export { kmsOpeningKeys, kmsSealingKeys, type ReuseLimits } from './kms-keys.ts';
export { type FrameSpan, finalFrame, framesOf, messageBytes, plaintextBytes } from './layout.ts';
export { MAX_HEADER_BYTES, type MessageHead, parseHead, readHead, wrappedUnder } from './message-head.ts';
export { type UnlockedMessage, unlock } from './open-message.ts';
export { type SealedMessage, sealMessage } from './seal-message.ts';
export { FRAME_BYTES } from './suite.ts';
