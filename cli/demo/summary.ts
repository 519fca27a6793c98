/** The table at the end. */
import { styleText } from 'node:util';
import { formatBytes, table } from '../terminal.ts';
import type { Fetched } from './fetch.ts';
import type { DroppedFile } from './find-files.ts';
import type { StoredAs } from './inspect.ts';

const SHOWN_FAILURES = 10;

export interface DemoResult {
  files: DroppedFile[];
  fetched: Fetched[];
  stored: StoredAs[];
  prefixes: string[];
  deadLetters: string[];
  /** Files that never got into the ingest bucket, with why. */
  notDropped: string[];
  targetBucket: string;
}

/** `ok` only if every file came back identical and every one is stored as the policy names. */
export function summary(result: DemoResult): { text: string; ok: boolean } {
  const objects = result.files.map((file, index) => ({ file, fetched: result.fetched[index], stored: result.stored[index] }));
  const rows = result.prefixes.flatMap((prefix) => {
    const here = objects.filter(({ file }) => file.key.startsWith(prefix));
    if (here.length === 0) return [];
    const identical = here.filter(({ fetched }) => fetched?.identical).length;
    const asNamed = here.filter(({ stored }) => stored?.asNamed).length;
    const bytes = here.reduce((sum, { file }) => sum + file.size, 0);
    const kinds = [...new Set(here.map(({ stored }) => stored?.description ?? 'unknown'))].join(' / ');
    return [[prefix, kinds, String(here.length), formatBytes(bytes), mark(asNamed, here.length), mark(identical, here.length)]];
  });
  const failures = objects.flatMap(({ file, fetched, stored }) => [
    ...(fetched?.identical === false ? [`${file.key}: ${fetched.reason}`] : []),
    ...(stored?.asNamed ? [] : [`${file.key}: stored as ${stored?.description ?? 'unknown'}`]),
  ]);
  failures.unshift(...result.notDropped);
  const ok = failures.length === 0 && result.deadLetters.length === 0;
  const verdict = ok
    ? styleText('green', `All ${objects.length} files came back identical, each stored under the encryption that the policy names.`)
    : styleText(
        'red',
        `${failures.length} failures:\n${[...failures.slice(0, SHOWN_FAILURES), ...result.deadLetters].map((line) => `  ${line}`).join('\n')}`,
      );
  const head = ['prefix', 'encryption, as S3 says', 'files', 'size', 'as named', 'identical'];
  return { text: `s3://${result.targetBucket}\n\n${table(head, rows)}\n\n${verdict}`, ok };
}

function mark(good: number, all: number): string {
  return styleText(good === all ? 'green' : 'red', `${good}/${all}`);
}
