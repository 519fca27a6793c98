/** Objects that were encrypted before S3 saw them, and how they are told from others. */
import type { EncryptionMode } from '../policy/schema.ts';
import type { ModeAtS3, ResolvedEncryption } from './encryption.ts';
import { sseKms } from './sse-kms.ts';

/**
 * The last content coding of such an object, behind those that its source had. S3 gives it with every answer, it takes nothing from the 2 KB of
 * user metadata, and it says what is true: who takes this coding off has the source's representation.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
const CODINGS = { 'cse-kms': 'x-sealdrop-cse-kms', 'cse-aes': 'x-sealdrop-cse-aes' } as const;

export type ClientSideMode = keyof typeof CODINGS;

export const isClientSideMode = (mode: EncryptionMode): mode is ClientSideMode => mode in CODINGS;

export const isClientSide = (encryption: ResolvedEncryption): encryption is ResolvedEncryption<ClientSideMode> =>
  isClientSideMode(encryption.mode);

/** @param contentEncoding of the source */
export function codedAs(mode: ClientSideMode, contentEncoding: string | undefined): string {
  return [...(contentEncoding === undefined || contentEncoding === '' ? [] : [contentEncoding]), CODINGS[mode]].join(', ');
}

/** @returns the mode and what is left of the Content-Encoding without it; `null`: it is none of ours */
export function codedMode(contentEncoding: string | undefined): { mode: ClientSideMode; contentEncoding: string | undefined } | null {
  const codings = (contentEncoding ?? '').split(',');
  const last = codings.pop()?.trim().toLowerCase();
  for (const [mode, coding] of Object.entries(CODINGS) as [ClientSideMode, string][]) {
    if (last === coding) return { mode, contentEncoding: codings.length === 0 ? undefined : codings.join(',') };
  }
  return null;
}

/** The message is stored under the stack's own KMS key as well. */
export const cseKms: ModeAtS3<'cse-kms'> = {
  ...storedLike<'cse-kms'>(),
  describe: ({ keyArn }) => ({ mode: 'cse-kms', keyArn }),
};

export const cseAes: ModeAtS3<'cse-aes'> = {
  ...storedLike<'cse-aes'>(),
  describe: ({ wrappingKey }) => ({ mode: 'cse-aes', wrappingKeyVersion: wrappingKey.versionId }),
};

function storedLike<Mode extends ClientSideMode>(): Omit<ModeAtS3<Mode>, 'describe'> {
  return {
    writeParameters: ({ stored }) => sseKms.writeParameters(stored),
    keyParameters: ({ stored }) => sseKms.keyParameters(stored),
    expectedAnswer: ({ stored }) => sseKms.expectedAnswer(stored),
  };
}
