/** What people and scripts read of what was encrypted and decrypted. */
import type { EncryptionDescription } from '../../src/encryption/index.ts';
import { type Failure, failureMembers, failureText } from '../failure.ts';
import { formatBytes, formatRate, formatSeconds, shown } from '../terminal.ts';
import type { Failed, ManyDone } from './many.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;

interface Way {
  source: string;
  target: string;
  ms: number;
}

export interface OneDone extends Way {
  bytes: number;
  encryption: EncryptionDescription;
  versionId?: string | undefined;
  /** What decrypted bytes still are. */
  contentEncoding?: string | undefined;
}

export interface AllDone extends Way, ManyDone {
  /** `null`: each has its own. */
  encryption: EncryptionDescription | null;
  /** Links and special files. */
  leftOut: number;
}

export function textOfOne({ source, target, bytes, ms, encryption, versionId, contentEncoding }: OneDone): string {
  return [
    `${shown(source)} → ${shown(target)}  ${formatBytes(bytes)}`,
    `${formatSeconds(ms)}, ${formatRate(bytes, ms)}`,
    encryptionText(encryption),
    ...(versionId === undefined || versionId === 'null' ? [] : [`version ${shown(versionId)}`]),
    ...(contentEncoding === undefined ? [] : [`its Content-Encoding is ${shown(contentEncoding)}`]),
  ].join('; ');
}

export function jsonOfOne({ ms, encryption, ...done }: OneDone): string {
  return document({ ok: true, ...done, ms: Math.round(ms), ...encryption });
}

export function textOfAll({ source, target, files, bytes, ms, encryption, leftOut, failed, notTried }: AllDone): string {
  return [
    `${shown(source)} → ${shown(target)}  ${count(files, 'file')}, ${formatBytes(bytes)}`,
    `${formatSeconds(ms)}, ${formatRate(bytes, ms)}`,
    ...(encryption === null ? [] : [encryptionText(encryption)]),
    ...(leftOut === 0 ? [] : [`${count(leftOut, 'link or special file', 'links or special files')} left out`]),
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
    ...(notTried === 0 ? [] : [`${notTried} not tried`]),
  ].join('; ');
}

/** @param ended whether nobody interrupted it */
export function jsonOfAll({ ms, encryption, failed, ...done }: AllDone, ended: boolean): string {
  const failures = failed.map(({ name, failure }) => ({ name, ...failureMembers(failure) }));
  return document({ ok: ended && failed.length === 0, ...done, ms: Math.round(ms), ...encryption, failed: failures });
}

/** Those that were not done, each with why. */
export function failedText(failed: readonly Failed[]): string {
  const text = ({ name, failure }: Failed) => {
    const why = failureText(failure);
    return failure.message.includes(name) ? why : `${shown(name)}: ${why}`;
  };
  return failed.map(text).join('\n');
}

/** The same document for what was not tried, or not done. */
export function jsonFailure(message: string, failure: Failure | null): string {
  return document({ ok: false, error: message, ...(failure === null ? {} : failureMembers(failure)) });
}

const document = (members: object) => JSON.stringify({ version: VERSION, ...members }, null, 2);

const count = (number: number, one: string, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

function encryptionText({ mode, keyArn, customerKeyVersion, wrappingKeyVersion }: EncryptionDescription): string {
  const version = customerKeyVersion ?? wrappingKeyVersion;
  const under = keyArn ?? (version === undefined ? undefined : `version ${version} of the secret`);
  return under === undefined ? mode : `${mode} under ${shown(under)}`;
}
