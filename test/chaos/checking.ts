/** What every check is given, and what it says. */
import { isDeepStrictEqual } from 'node:util';
import type { Evidence } from './evidence.ts';
import type { KeyFate, StateFate } from './fates.ts';
import type { Seen } from './held-object.ts';
import type { Troubles } from './injected.ts';
import { type StoredAs, storedAs } from './stored-as.ts';

export interface Complaint {
  key: string;
  expected: string;
  found: string;
}

export interface Check {
  title: string;
  /** How many things it looked at. */
  looked: number;
  complaints: Complaint[];
}

export interface CheckInput {
  seed: number;
  fates: KeyFate[];
  evidence: Evidence;
  troubles: Troubles;
  kmsKeyArn: string;
  /** What functions printed, and secrets that must not be in it. */
  leaks: { logs: string[]; secrets: string[] };
}

/** A check over keys, states or whatever it is that can be wrong. */
export function over<Item>(title: string, items: Item[], look: (item: Item) => Complaint | null): Check {
  const complaints = items.flatMap((item) => look(item) ?? []);
  return { title, looked: items.length, complaints };
}

export const allStates = ({ fates }: CheckInput) => fates.flatMap((fate) => fate.states.map((state) => ({ fate, state })));
/** For people. */
export const name = ({ written }: StateFate) => `state ${written.state.number} (${written.versionId.slice(0, 8)})`;

export function wantedFor({ kmsKeyArn, evidence }: CheckInput, { planned }: KeyFate, { written }: StateFate): StoredAs {
  const wanted = storedAs(planned.folder, written.state, { kmsKeyArn });
  return wanted.keyArn === 'managed' ? { ...wanted, keyArn: evidence.managedKeyArn } : wanted;
}

export function isAs(seen: Seen | undefined, wanted: StoredAs): boolean {
  return seen !== undefined && 'storedAs' in seen && isDeepStrictEqual(seen.storedAs, wanted);
}
