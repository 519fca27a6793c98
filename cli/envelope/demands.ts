/** What the caller demands of what is opened. Whoever replaces an object chooses its mode as well: what the mode cannot meet is refused. */
import { isClientSideMode } from '../../src/encryption/index.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';
import { keyOptionOf } from './key-options.ts';

export interface Demands {
  /** The only ones; empty: the one that the message names. */
  kmsKeys: string[];
  secret: string | null;
  /** `null`: the current one. */
  secretVersion: string | null;
  /** Over, and beyond, what is asked of every message. */
  context: Record<string, string>;
  anyContext: boolean;
}

/** @returns the options that have no part in opening what is under the mode; where KMS keys and a secret are said, one of them has one */
export function unmetDemands(mode: EncryptionMode, { kmsKeys, secret, secretVersion, context, anyContext }: Demands): string[] {
  const keyOptions = [...(kmsKeys.length > 0 ? ['kms-key'] : []), ...(secret === null ? [] : ['secret'])];
  const needed = keyOptionOf(mode);
  return [
    ...(needed !== null && keyOptions.includes(needed) ? [] : keyOptions),
    // A message names its own version.
    ...(secretVersion !== null && mode !== 'sse-c' ? ['secret-version'] : []),
    ...(Object.keys(context).length > 0 && !isClientSideMode(mode) ? ['context'] : []),
    ...(anyContext && !isClientSideMode(mode) ? ['any-context'] : []),
  ].map((option) => `--${option}`);
}
