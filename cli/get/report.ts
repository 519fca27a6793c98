/** What people and scripts read of a download. */
import { type Failure, failureMembers } from '../failure.ts';
import { formatBytes, formatRate, formatSeconds, shown } from '../terminal.ts';
import type { Downloaded } from './options.ts';
import type { RemoteObject } from './remote-object.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;

export interface Get {
  object: RemoteObject;
  /** A path, or `-`. */
  file: string;
  downloaded: Downloaded;
  ms: number;
}

export function textReport({ object, file, downloaded, ms }: Get): string {
  const { proof, resumedBytes } = downloaded;
  const fetched = object.length - resumedBytes;
  return [
    `${shown(object.key)} → ${file === '-' ? 'standard output' : shown(file)}  ${formatBytes(object.length)}`,
    ...(resumedBytes > 0 ? [`${formatBytes(resumedBytes)} of it were there`] : []),
    `${formatSeconds(ms)}, ${formatRate(fetched, ms)}`,
    proof === 'length only' ? 'proven by its length only: S3 tells no checksum of the whole' : `proven by ${proof}`,
  ].join('; ');
}

export function jsonReport({ object, file, downloaded, ms }: Get): string {
  const { key, length, etag, versionId } = object;
  const { proof, resumedBytes } = downloaded;
  return JSON.stringify(
    { version: VERSION, ok: true, key, file, bytes: length, etag, versionId, proof, resumedBytes, ms: Math.round(ms) },
    null,
    2,
  );
}

/** The same document for what did not come. */
export function jsonFailure(message: string, failure: Failure | null): string {
  return JSON.stringify({ version: VERSION, ok: false, error: message, ...(failure === null ? {} : failureMembers(failure)) }, null, 2);
}
