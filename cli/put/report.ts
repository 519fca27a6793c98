/** What people and scripts read of a put. */
import { isErrorCode, nextStepOf } from '../error-code.ts';
import { type Failure, failureMembers, failureText } from '../failure.ts';
import { formatBytes, formatRate, formatSeconds, shown } from '../terminal.ts';
import type { FinalFate } from './follow.ts';
import type { StoredEncryption } from './history.ts';
import type { Dropped } from './upload.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;

export type Outcome =
  | FinalFate
  /** It is in the ingest bucket, and that is all that was asked. */
  | { kind: 'not followed' }
  /** It is in the ingest bucket, and its history could not be seen to the end. */
  | { kind: 'lost'; failure: Failure };

export interface Put {
  bucket: string;
  key: string;
  dropped: Dropped;
  uploadMs: number;
  outcome: Outcome;
  /** From its being in the ingest bucket on. */
  followedMs: number;
}

const WELL: Record<Outcome['kind'], boolean> = {
  encrypted: true,
  superseded: true,
  'not followed': true,
  failed: false,
  'under way': false,
  lost: false,
};

export function isWell({ outcome }: Put): boolean {
  return WELL[outcome.kind];
}

/** Of the first half, which stands while the second is waited for. */
export function droppedText({ bucket, key, dropped, uploadMs }: Omit<Put, 'outcome' | 'followedMs'>): string {
  const { bytes, versionId } = dropped;
  const version = versionId === null ? 'the bucket has no versions: known by time and length' : `version ${shown(versionId)}`;
  return `${shown(key)} → ${bucket}  ${formatBytes(bytes)}; ${formatSeconds(uploadMs)}, ${formatRate(bytes, uploadMs)}; ${version}`;
}

/** Of the second half. */
export function fateText({ outcome, followedMs }: Put): string {
  const after = formatSeconds(followedMs);
  switch (outcome.kind) {
    case 'encrypted':
      return `encrypted after ${after}: ${encryptionText(outcome.encryption)}`;
    case 'superseded':
      return `superseded after ${after}: a newer state of the key is encrypted, and this one is not needed any more`;
    case 'failed':
      return `not encrypted: ${shown(outcome.code)}\n  → ${nextStep(outcome.code)}\n  npx sealdrop failures tells the cause.`;
    case 'under way':
      return `not encrypted within ${after}; it goes on by itself.\n  → npx sealdrop failures tells if it fails; large files need a longer --timeout.`;
    case 'not followed':
      return 'not followed to its end; it is encrypted by itself.';
    case 'lost':
      return `not followed to its end; it is encrypted by itself. ${failureText(outcome.failure)}`;
    default:
      return outcome satisfies never;
  }
}

export function jsonReport(put: Put): string {
  const { bucket, key, dropped, uploadMs, outcome, followedMs } = put;
  const document = {
    version: VERSION,
    ok: isWell(put),
    bucket,
    key,
    versionId: dropped.versionId,
    bytes: dropped.bytes,
    uploadMs: Math.round(uploadMs),
    outcome: outcome.kind,
    followedMs: Math.round(followedMs),
    ...(outcome.kind === 'encrypted' ? { encryption: outcome.encryption } : {}),
    ...(outcome.kind === 'failed' ? { code: outcome.code, nextStep: nextStep(outcome.code) } : {}),
    ...(outcome.kind === 'lost' ? failureMembers(outcome.failure) : {}),
  };
  return JSON.stringify(document, null, 2);
}

/** The same document for what was not put. */
export function jsonFailure(message: string, failure: Failure | null): string {
  return JSON.stringify({ version: VERSION, ok: false, error: message, ...(failure === null ? {} : failureMembers(failure)) }, null, 2);
}

function encryptionText({ mode, keyArn, bucketKey, customerKeyVersion }: StoredEncryption): string {
  const under = keyArn ?? (customerKeyVersion === undefined ? null : `version ${customerKeyVersion} of the customer key`);
  return [shown(mode), ...(under === null ? [] : [`under ${shown(under)}`]), ...(bucketKey === true ? ['with a Bucket Key'] : [])].join(
    ' ',
  );
}

function nextStep(code: string): string {
  return isErrorCode(code) ? nextStepOf(code) : 'Look at the cause.';
}
