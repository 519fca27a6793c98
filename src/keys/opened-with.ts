/** Which key opened an object the last time: a guess that S3 itself proves, and that saves looking its record up. */
import { createRecent } from '../recent.ts';

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
  const known = createRecent<KeyVersion>(MOST_OBJECTS);
  const nameOf = (key: string, versionId = '') => `${versionId}/${key}`;
  return {
    last: (key, versionId) => known.get(nameOf(key, versionId)),
    remember: (key, versionId, opened) => known.put(nameOf(key, versionId), opened),
  };
}
