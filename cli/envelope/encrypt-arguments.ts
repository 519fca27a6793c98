/** What `sealdrop encrypt` was asked. */
import { basename } from 'node:path';
import { isClientSideMode } from '../../src/encryption/index.ts';
import { keyProblem } from '../../src/events/object-key.ts';
import { parseOptions, readCount } from '../stack-arguments.ts';
import { refuseFolderWithin } from './apart.ts';
import { type Choice, chooseMode, MANAGED_KEY, MODES } from './key-options.ts';
import { readContext } from './pairs.ts';
import { isPrefix, type ObjectPlace, type Place, readPlace } from './place.ts';
import { type Help, once, readBucketOwner, SHARED_OPTIONS, SHARED_USAGE } from './shared-options.ts';

const MIB = 1024 * 1024;
const DEFAULT_PART_MIB = 8;
const MAX_PART_MIB = 512;
/** S3's own least. */
const MIN_PART_MIB = 5;
/** A header carries no more. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;

export const USAGE = `npx sealdrop encrypt SOURCE TARGET [--mode MODE] [--kms-key ARN | --secret NAME-OR-ARN] [--context NAME=VALUE]…
             [--recursive] [--force] [--content-type TYPE] [--bucket-owner ACCOUNT] [--part-mib ${DEFAULT_PART_MIB}] [--region REGION] [--json]

Encrypts with the caller's own AWS credentials. SOURCE is a file, - for standard input, or with --recursive a folder. TARGET is
s3://BUCKET/KEY, a file, - for standard output, or with --recursive s3://BUCKET/PREFIX/ or a folder; a KEY that ends in / and a folder
take a file under its own name. What cse-kms and cse-aes write are messages of the AWS Encryption SDK, which open with that SDK of any
language as well. An upload is there whole or not at all, its checksum and its encryption compared with what S3 answers.

  --mode           ${MODES.join(', ')}; the first four are S3's own, so that TARGET is an object
                   (default: cse-kms with --kms-key, cse-aes with --secret)
  --kms-key        of sse-kms, dsse-kms and cse-kms: the key's ARN; ${MANAGED_KEY} for S3's own modes
  --secret         of sse-c and cse-aes: the secret that holds the 256-bit key, by name or ARN
  --context        adds a pair to the encryption context, which is not secret and which decrypt can ask for; once for each. Messages
                   say sealdrop=cse, and in S3 which bucket and key they are for
  --recursive      every file of a folder; links and special files are left out
  --force          overwrites TARGET
  --content-type   what the object is served as (default: application/octet-stream)
  --part-mib       size of a part, some three of which are in memory; ${MIN_PART_MIB} to ${MAX_PART_MIB}. A stream has 10,000 at most
${SHARED_USAGE}

Exit codes: 0 all of it is encrypted · 1 it is not, or not all · 2 it was not tried`;

export interface EncryptArguments {
  help: false;
  json: boolean;
  region: string | undefined;
  source: Exclude<Place, ObjectPlace>;
  target: Place;
  choice: Choice;
  /** Beyond what every message says. */
  context: Record<string, string>;
  recursive: boolean;
  force: boolean;
  contentType: string | undefined;
  /** `null`: the caller's own account. */
  bucketOwner: string | null;
  partBytes: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[]): EncryptArguments | Help {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: { ...SHARED_OPTIONS, 'content-type': { type: 'string' }, 'part-mib': { type: 'string' } },
  });
  const { help = false, json = false, recursive = false, force = false, region } = values;
  if (help) return { help, json };
  const [from, to, ...more] = positionals;
  if (more.length > 0) throw new Error(`${more.join(' ')}: one SOURCE and one TARGET at a time`);
  const source = readPlace('SOURCE', from);
  if (source.kind === 's3') throw new Error('SOURCE: a file, a folder or -; what lies in S3 comes by `sealdrop decrypt s3://… -`');
  const target = readPlace('TARGET', to);
  const choice = chooseMode({ mode: values.mode, kmsKey: once('kms-key', values['kms-key']), secret: values.secret });
  refuseOutsideS3(target, choice, values);
  const taken = { sealdrop: 'every message says sealdrop=cse', ...(target.kind === 's3' ? OBJECT_PAIRS : {}) };
  const context = readContext(values.context ?? [], taken);
  if (Object.keys(context).length > 0 && !isClientSideMode(choice.mode)) throw new Error(`--context: ${choice.mode} takes none`);
  if (target.kind === 'pipe' && json) throw new Error('--json: standard output takes either the bytes or the document');
  const contentType = values['content-type'];
  if (contentType !== undefined && !HEADER_VALUE.test(contentType)) throw new Error('--content-type: a header carries visible ASCII');
  if (recursive) refuseUnfit(source, target);
  return {
    help,
    json,
    region,
    source,
    target: recursive || target.kind !== 's3' ? target : named(source, target),
    choice,
    context,
    recursive,
    force,
    contentType,
    bucketOwner: readBucketOwner(values['bucket-owner']),
    partBytes: MIB * readCount('part-mib', values['part-mib'], { byDefault: DEFAULT_PART_MIB, min: MIN_PART_MIB, max: MAX_PART_MIB }),
  };
}

const OBJECT_PAIRS = { bucket: 'the message says its own bucket', key: 'the message says its own key' };

/** What only an object has. */
const OBJECT_OPTIONS = ['content-type', 'bucket-owner', 'part-mib'] as const;

function refuseOutsideS3(target: Place, { mode }: Choice, values: { [Name in (typeof OBJECT_OPTIONS)[number]]?: string }): void {
  if (target.kind === 's3') return;
  if (!isClientSideMode(mode))
    throw new Error(`--mode ${mode}: S3 encrypts, so that TARGET is s3://BUCKET/KEY; elsewhere cse-kms or cse-aes`);
  const wrong = OBJECT_OPTIONS.find((option) => values[option] !== undefined);
  if (wrong !== undefined) throw new Error(`--${wrong}: TARGET is no object in S3`);
}

function refuseUnfit(source: Place, target: Place): void {
  if (source.kind === 'pipe') throw new Error('--recursive: SOURCE is a folder');
  if (target.kind === 'pipe') throw new Error('--recursive: TARGET is s3://BUCKET/PREFIX/ or a folder');
  if (target.kind === 's3' && !isPrefix(target))
    throw new Error(`--recursive: TARGET s3://${target.bucket}/${target.key}/, with / at its end`);
  if (target.kind === 'file' && source.kind === 'file') refuseFolderWithin(source.path, target.path);
}

/** A prefix takes a file under its own name. */
function named(source: Exclude<Place, ObjectPlace>, target: ObjectPlace): ObjectPlace {
  if (!isPrefix(target)) return target;
  if (source.kind === 'pipe') throw new Error('TARGET: standard input has no name; say the whole key');
  const key = `${target.key}${basename(source.path)}`;
  const problem = keyProblem(key);
  if (problem !== null) throw new Error(`TARGET: ${problem}`);
  return { ...target, key };
}
