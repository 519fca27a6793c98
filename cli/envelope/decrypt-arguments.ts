/** What `sealdrop decrypt` was asked. */
import { isClientSideMode } from '../../src/encryption/index.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';
import { parseOptions } from '../stack-arguments.ts';
import { refuseFolderWithin } from './apart.ts';
import { type Demands, unmetDemands } from './demands.ts';
import { MANAGED_KEY, readKmsKey, readMode, readSecret } from './key-options.ts';
import { readContext } from './pairs.ts';
import { isPrefix, type ObjectPlace, type Place, readPlace } from './place.ts';
import { type Help, readBucketOwner, SHARED_OPTIONS, SHARED_USAGE } from './shared-options.ts';

export const USAGE = `npx sealdrop decrypt SOURCE TARGET [--kms-key ARN]… [--secret NAME-OR-ARN [--secret-version ID]] [--mode MODE]
             [--context NAME=VALUE]… [--any-context] [--recursive] [--force] [--bucket-owner ACCOUNT] [--region REGION] [--json]

Decrypts with the caller's own AWS credentials what \`sealdrop encrypt\`, the pipeline or an AWS Encryption SDK encrypted
(in frames, under a suite that commits to its key; a raw AES key has the namespace sealdrop and its secret's version id as its name).
SOURCE is s3://BUCKET/KEY, a file, - for standard input, or with --recursive s3://BUCKET/PREFIX/ or a folder. TARGET is a file, - for
standard output, or with --recursive a folder. How it is encrypted is told from the object, or from the message. A file is there once
all of it is proven; standard output gets every frame as it is proven, and the exit code says whether they were the whole.
What is asked for is held to, or refused: --kms-key, --secret and --context have no part in opening what is under sse-s3, for example.

  --kms-key        the only KMS keys that may open it; once for each (default: the one that the message names). ${MANAGED_KEY} is one as well
  --secret         of sse-c and cse-aes: the secret that holds the 256-bit key, by name or ARN. With --kms-key: either may open it
  --secret-version which version of it opens sse-c, of which S3 tells none (default: the current one); a message names its own
  --mode           what it must be; cse-kms and cse-aes also open an object that does not say that it is a message, the others take it
                   as it is
  --context        a pair that the encryption context must have; once for each. It must say sealdrop=cse, and in S3 the object's own
                   bucket and, where it names one, key; bucket=… and key=… say where a message was that has been copied since
  --any-context    nothing is asked of it but what --context says: for messages that something else wrote
  --recursive      everything under a prefix or in a folder; links and special files are left out
  --force          overwrites TARGET
${SHARED_USAGE}

Exit codes: 0 all of it is decrypted and proven · 1 it is not, or not all · 2 it was not tried`;

export interface DecryptArguments extends Demands {
  help: false;
  json: boolean;
  region: string | undefined;
  source: Place;
  target: Exclude<Place, ObjectPlace>;
  /** `null`: whatever it is. */
  mode: EncryptionMode | null;
  recursive: boolean;
  force: boolean;
  /** `null`: whoever owns it. */
  bucketOwner: string | null;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[]): DecryptArguments | Help {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: { ...SHARED_OPTIONS, 'secret-version': { type: 'string' }, 'any-context': { type: 'boolean' } },
  });
  const { help = false, json = false, recursive = false, force = false, region } = values;
  if (help) return { help, json };
  const [from, to, ...more] = positionals;
  if (more.length > 0) throw new Error(`${more.join(' ')}: one SOURCE and one TARGET at a time`);
  const source = readPlace('SOURCE', from);
  const target = readPlace('TARGET', to);
  if (target.kind === 's3') throw new Error('TARGET: a file, a folder or -; into S3 it goes by `sealdrop encrypt - s3://…`');
  const mode = readMode(values.mode);
  const kmsKeys = (values['kms-key'] ?? []).map(readKmsKey);
  const secret = readSecret(values.secret);
  const secretVersion = values['secret-version'] ?? null;
  if (secretVersion !== null && secret === null) throw new Error('--secret-version: of which --secret?');
  if (secret === null && (mode === 'sse-c' || mode === 'cse-aes')) throw new Error(`--mode ${mode}: say --secret NAME-OR-ARN`);
  const bucketOwner = readBucketOwner(values['bucket-owner']);
  if (source.kind !== 's3') refuseOfS3(mode, bucketOwner, secretVersion);
  if (target.kind === 'pipe' && json) throw new Error('--json: standard output takes either the bytes or the document');
  if (recursive) refuseUnfit(source, target);
  else if (source.kind === 's3' && isPrefix(source))
    throw new Error(`SOURCE s3://${source.bucket}/${source.key}: the whole key, or --recursive for all that lies there`);
  const taken = { sealdrop: 'every message says sealdrop=cse; --any-context takes others' };
  const context = readContext(values.context ?? [], values['any-context'] ? {} : taken);
  const anyContext = values['any-context'] ?? false;
  const [unmet] = mode === null ? [] : unmetDemands(mode, { kmsKeys, secret, secretVersion, context, anyContext });
  if (unmet !== undefined) throw new Error(`${unmet}: ${mode} takes none`);
  return {
    help,
    json,
    region,
    source,
    target,
    mode,
    kmsKeys,
    secret,
    secretVersion,
    context,
    anyContext,
    recursive,
    force,
    bucketOwner,
  };
}

function refuseOfS3(mode: EncryptionMode | null, bucketOwner: string | null, secretVersion: string | null): void {
  if (mode !== null && !isClientSideMode(mode)) throw new Error(`--mode ${mode}: S3 decrypts it, so that SOURCE is s3://BUCKET/KEY`);
  if (bucketOwner !== null) throw new Error('--bucket-owner: SOURCE is no object in S3');
  if (secretVersion !== null) throw new Error('--secret-version: a message names its own');
}

function refuseUnfit(source: Place, target: Place): void {
  if (source.kind === 'pipe') throw new Error('--recursive: SOURCE is s3://BUCKET/PREFIX/ or a folder');
  if (target.kind !== 'file') throw new Error('--recursive: TARGET is a folder');
  if (source.kind === 's3' && !isPrefix(source))
    throw new Error(`--recursive: SOURCE s3://${source.bucket}/${source.key}/, with / at its end`);
  if (source.kind === 'file') refuseFolderWithin(source.path, target.path);
}
