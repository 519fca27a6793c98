/** Which keys may open an object of the target bucket, the likeliest first. */
import type { ObjectRecords } from './audit/object-record.ts';
import type { CustomerKey } from './encryption/index.ts';
import { SealdropError } from './errors.ts';
import type { KeyVersion, OpenedWith } from './keys/opened-with.ts';
import type { SecretKeys } from './keys/secret-keys.ts';
import { possibleModes } from './policy/possible.ts';
import type { Policy } from './policy/schema.ts';

export interface KeyDeps {
  targetBucket: string;
  policy: Policy;
  records: ObjectRecords;
  customerKeys: SecretKeys;
  openedWith: OpenedWith;
}

interface Wanted {
  key: string;
  versionId?: string;
}

/**
 * First what costs no look-up: the key that opened the object the last time, or the only one that today's policy can mean by its name. Then what
 * its record says. The record may be behind, since it is written after the copy, or absent: at last no key, and the current one.
 * @returns `null`: no customer key
 * @throws SealdropError `not-found` for a version of which nothing is known and that no key opens; `audit-unavailable`, or the key's own code
 */
export async function* keysToTry(wanted: Wanted, deps: KeyDeps): AsyncGenerator<CustomerKey | null> {
  const tried = new Set<KeyVersion>();
  const isNew = (key: CustomerKey | null) => {
    const before = tried.size;
    return tried.add(key?.versionId ?? null).size > before;
  };
  const guess = await guessed(wanted, deps);
  if (guess !== undefined && isNew(guess)) yield guess;

  const record = await recordOf(wanted, deps);
  const version = record?.encryption.customerKeyVersion;
  for (const keyOf of [async () => (version === undefined ? null : deps.customerKeys.version(version)), noKey, deps.customerKeys.current]) {
    const key = await keyOf();
    if (isNew(key)) yield key;
  }
  // S3 refuses the HEAD of a version id that is none with the status of a missing key.
  if (wanted.versionId !== undefined && record === null) throw new SealdropError('not-found', 'There is no such object');
}

const noKey = async () => null;

/** `undefined`: nothing is likely enough. */
async function guessed({ key, versionId }: Wanted, deps: KeyDeps): Promise<CustomerKey | null | undefined> {
  try {
    const last = deps.openedWith.last(key, versionId);
    if (last !== undefined) return last === null ? null : await deps.customerKeys.version(last);
    const modes = possibleModes(deps.policy, key);
    if (!modes.has('sse-c')) return null;
    return modes.size === 1 ? await deps.customerKeys.current() : undefined;
  } catch {
    // The object may be under another key than the one that cannot be had: its record says, and then this failure counts.
    return undefined;
  }
}

function recordOf({ key, versionId }: Wanted, { records, targetBucket }: KeyDeps) {
  return versionId === undefined ? records.latest(targetBucket, key) : records.find(targetBucket, key, { versionId, etag: '' });
}
