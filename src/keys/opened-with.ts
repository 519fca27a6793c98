/** Which key opened an object the last time: a guess that S3 itself proves, and that saves looking its record up. */

/** Enough for the ranges that are being read; whatever was read longest ago is forgotten first. */
const MOST_OBJECTS = 10_000;

/** A version of the customer key; `null`: the object is not under any. */
export type KeyVersion = string | null;

export interface OpenedWith {
  /** `undefined`: not known. */
  last(key: string, versionId: string | undefined): KeyVersion | undefined;
  remember(key: string, versionId: string | undefined, opened: KeyVersion): void;
}

export function createOpenedWith(): OpenedWith {
  const known = new Map<string, KeyVersion>();
  const nameOf = (key: string, versionId = '') => `${versionId}/${key}`;
  return {
    last: (key, versionId) => known.get(nameOf(key, versionId)),
    remember(key, versionId, opened) {
      const name = nameOf(key, versionId);
      known.delete(name);
      known.set(name, opened);
      if (known.size <= MOST_OBJECTS) return;
      const [oldest = ''] = known.keys();
      known.delete(oldest);
    },
  };
}
