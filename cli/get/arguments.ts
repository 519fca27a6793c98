/** What `sealdrop get` was asked. */
import { keyProblem } from '../../src/events/object-key.ts';
import { API_OPTIONS, API_USAGE, type ApiArguments, readApiArguments } from '../api/arguments.ts';
import {
  type Environment,
  parseOptions,
  readCount,
  readStackArguments,
  STACK_OPTIONS,
  STACK_USAGE,
  type StackArguments,
} from '../stack-arguments.ts';

const MIB = 1024 * 1024;
const DEFAULT_PARALLEL = 8;
const MAX_PARALLEL = 64;
/** A gateway streams 10 MB at full speed and slowly then: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html */
const DEFAULT_PART_MIB = 5;
/** The API streams 200 MB of one answer. */
const MAX_PART_MIB = 190;

export const USAGE = `npx sealdrop get KEY [FILE] [--force] [--version-id ID] [--parallel ${DEFAULT_PARALLEL}] [--part-mib ${DEFAULT_PART_MIB}]
             [--api URL] [--token-file FILE] [--stage dev] [--region REGION] [--json]

Fetches an object through the API, in parts side by side, all of them of the same state, and proves it by its length and its checksum.
FILE is the key's last segment by default; a folder takes it under that name; - is standard output. What is fetched stands in FILE.part
until it is proven, so that the same command goes on where one was broken off.

  --force          overwrites FILE
  --version-id     a version of the object (default: the current one)
  --parallel       parts at once; 1 to ${MAX_PARALLEL}
  --part-mib       size of a part; 1 to ${MAX_PART_MIB}
${API_USAGE}
${STACK_USAGE}

Exit codes: 0 it is there and proven · 1 it is not · 2 nobody could be asked`;

export interface GetArguments extends StackArguments, ApiArguments {
  key: string;
  /** `null`: named by the key. */
  file: string | null;
  force: boolean;
  /** `null`: the current one. */
  versionId: string | null;
  parallel: number;
  partBytes: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Environment): GetArguments {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...STACK_OPTIONS,
      ...API_OPTIONS,
      force: { type: 'boolean', default: false },
      'version-id': { type: 'string' },
      parallel: { type: 'string' },
      'part-mib': { type: 'string' },
    },
  });
  const [key = '', file = null, ...more] = positionals;
  const stack = readStackArguments(values, env);
  if (!stack.help) refuseWrong(key, file, more, stack.json);
  const mib = readCount('part-mib', values['part-mib'], { byDefault: DEFAULT_PART_MIB, max: MAX_PART_MIB });
  return {
    ...stack,
    ...readApiArguments(values, env),
    key,
    file,
    force: values.force,
    versionId: values['version-id'] ?? null,
    parallel: readCount('parallel', values.parallel, { byDefault: DEFAULT_PARALLEL, max: MAX_PARALLEL }),
    partBytes: mib * MIB,
  };
}

function refuseWrong(key: string, file: string | null, more: string[], json: boolean): void {
  if (key === '') throw new Error('KEY: which object?');
  if (more.length > 0) throw new Error(`${more.join(' ')}: one KEY and one FILE at a time`);
  const problem = keyProblem(key);
  if (problem !== null) throw new Error(`KEY: ${problem}`);
  if (file === '-' && json) throw new Error('--json: standard output takes either the object or the document');
}
