/** What `sealdrop put` was asked. */
import { basename } from 'node:path';
import { keyProblem } from '../../src/events/object-key.ts';
import { API_OPTIONS, API_USAGE, type ApiArguments, readApiArguments } from '../api/arguments.ts';
import {
  type Environment,
  parseOptions,
  readCount,
  readSeconds,
  readStackArguments,
  STACK_OPTIONS,
  STACK_USAGE,
  type StackArguments,
} from '../stack-arguments.ts';
import { readMetadata, readTags } from './pairs.ts';
import { STDIN } from './source.ts';

const MIB = 1024 * 1024;
const DEFAULT_PART_MIB = 16;
const MAX_PART_MIB = 512;
/** S3's own least. */
const MIN_PART_MIB = 5;
const DEFAULT_TIMEOUT = 120;
const MAX_TIMEOUT = 12 * 3600;

export const USAGE = `npx sealdrop put FILE [KEY] [--content-type TYPE] [--metadata NAME=VALUE]… [--tag NAME=VALUE]…
             [--no-wait] [--timeout ${DEFAULT_TIMEOUT}] [--part-mib ${DEFAULT_PART_MIB}] [--api URL] [--token-file FILE]
             [--stage dev] [--region REGION] [--json]

Puts a file into the ingest bucket with the caller's AWS credentials, and follows this very version until it is encrypted. KEY is the
file's name by default; one that ends in / is a prefix. FILE - is standard input, and needs KEY. The bucket is SEALDROP_INGEST_BUCKET,
else what the stack says. To follow it the API is asked for the key's history, which the token must be allowed to see.

  --content-type   what the object is served as (default: what S3 says of bytes)
  --metadata       user metadata; once for each
  --tag            once for each
  --no-wait        ends once the file is in the ingest bucket; needs no API
  --timeout        seconds to follow it
  --part-mib       size of a part, four of which are in memory; smaller files go by one request; ${MIN_PART_MIB} to ${MAX_PART_MIB}
${API_USAGE}
${STACK_USAGE}

Exit codes: 0 it is encrypted, in this state or a newer one (with --no-wait: it is in the ingest bucket) · 1 it is not · 2 it was not tried`;

export interface PutArguments extends StackArguments, ApiArguments {
  /** A path, or `-`. */
  file: string;
  key: string;
  /** `undefined`: S3's own word. */
  contentType: string | undefined;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  wait: boolean;
  timeoutMs: number;
  partBytes: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Environment): PutArguments {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...STACK_OPTIONS,
      ...API_OPTIONS,
      'content-type': { type: 'string' },
      metadata: { type: 'string', multiple: true, default: [] },
      tag: { type: 'string', multiple: true, default: [] },
      'no-wait': { type: 'boolean', default: false },
      timeout: { type: 'string' },
      'part-mib': { type: 'string' },
    },
  });
  const [file = '', key, ...more] = positionals;
  const stack = readStackArguments(values, env);
  if (more.length > 0) throw new Error(`${more.join(' ')}: one FILE and one KEY at a time`);
  return {
    ...stack,
    ...readApiArguments(values, env),
    file,
    key: stack.help ? '' : keyOf(file, key),
    contentType: values['content-type'],
    metadata: readMetadata(values.metadata),
    tags: readTags(values.tag),
    wait: !values['no-wait'],
    timeoutMs: readSeconds('timeout', values.timeout, { byDefault: DEFAULT_TIMEOUT, max: MAX_TIMEOUT }) * 1000,
    partBytes: MIB * readCount('part-mib', values['part-mib'], { byDefault: DEFAULT_PART_MIB, min: MIN_PART_MIB, max: MAX_PART_MIB }),
  };
}

function keyOf(file: string, said: string | undefined): string {
  if (file === '') throw new Error('FILE: which one?');
  if (file === STDIN && (said === undefined || said.endsWith('/'))) throw new Error('KEY: standard input has no name; say the whole key');
  const key = said === undefined || said.endsWith('/') ? `${said ?? ''}${basename(file)}` : said;
  const problem = key === '' ? 'it is empty' : keyProblem(key);
  if (problem !== null) throw new Error(`KEY: ${problem}`);
  return key;
}
