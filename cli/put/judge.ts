/** What a history says of one state of an object. Pure. */
import type { HistoryEvent, StoredEncryption } from './history.ts';

/** Clocks of S3's machines, and the second that HTTP's times are rounded to. */
const CLOCKS_DIFFER_MS = 2_000;

/** A state of an object in the ingest bucket. */
export interface PutState {
  /** `null`: the ingest bucket has no versions, and the state is known by time and length. */
  versionId: string | null;
  bytes: number;
  /** By the clock of AWS, in milliseconds: when it was not there yet, and when it was. */
  begunAt: number;
  doneAt: number;
}

export type Fate =
  | { kind: 'encrypted'; encryption: StoredEncryption }
  | { kind: 'failed'; code: string }
  /** A newer state is encrypted, so that this one is not needed any more. */
  | { kind: 'superseded' }
  /** Another state is encrypted; whether it is newer only S3 knows. */
  | { kind: 'perhaps superseded'; by: string }
  | { kind: 'under way' };

/** Where history begins to be of interest. @returns milliseconds of AWS's clock */
export function interestingFrom({ begunAt }: Pick<PutState, 'begunAt'>): number {
  return begunAt - CLOCKS_DIFFER_MS;
}

export function judge(events: readonly HistoryEvent[], put: PutState): Fate {
  const since = events.filter(({ at }) => Date.parse(at) >= interestingFrom(put));
  const isMine = ({ sourceVersionId, size }: HistoryEvent) =>
    put.versionId === null ? size === put.bytes : sourceVersionId === put.versionId;
  const encrypted = since.filter(({ action }) => action === 'ObjectEncrypted');
  const mine = encrypted.find(isMine);
  if (mine?.encryption !== undefined) return { kind: 'encrypted', encryption: mine.encryption };
  const failed = since.findLast((event) => event.action === 'EncryptionFailed' && isMine(event));
  if (failed !== undefined) return { kind: 'failed', code: failed.code ?? 'unknown' };
  const other = encrypted.at(-1);
  if (other === undefined) return { kind: 'under way' };
  if (Date.parse(other.at) > put.doneAt + CLOCKS_DIFFER_MS) return { kind: 'superseded' };
  return other.sourceVersionId === undefined ? { kind: 'under way' } : { kind: 'perhaps superseded', by: other.sourceVersionId };
}
