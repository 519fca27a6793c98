/** Which stack a command is about, as all of them are asked. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorMessage } from './sdk-error.ts';
import { stackNameOf } from './stack-name.ts';

const DEFAULT_STAGE = 'dev';

export type Environment = Readonly<Record<string, string | undefined>>;

export const STACK_OPTIONS = {
  stage: { type: 'string' },
  stack: { type: 'string' },
  region: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

export const STACK_USAGE = `  --stage          which stack: sealdrop-STAGE (default: what SEALDROP_STACK names, else dev)
  --stack          its whole name, where that is another
  --region         over AWS_REGION and the AWS profile
  --json           one JSON document instead of text`;

export interface StackArguments {
  help: boolean;
  stackName: string;
  region: string | undefined;
  json: boolean;
}

interface Given {
  stage?: string;
  stack?: string;
  region?: string;
  json?: boolean;
  help?: boolean;
}

/** @throws an error whose message says what is wrong */
export function readStackArguments({ stage, stack, region, json = false, help = false }: Given, env: Environment): StackArguments {
  if (stage !== undefined && !/^[a-z][a-z0-9-]{0,15}[a-z0-9]$/.test(stage))
    throw new Error(`--stage ${stage}: a stage is 2 to 17 lower-case letters, digits and hyphens, and begins with a letter`);
  if (stage !== undefined && stack !== undefined) throw new Error('--stage and --stack: say one of them');
  const said = stack ?? (stage === undefined ? undefined : stackNameOf(stage));
  return { help, stackName: said ?? (env.SEALDROP_STACK || stackNameOf(DEFAULT_STAGE)), region, json };
}

/** @throws an error that names the option: it is no whole number of seconds in this range */
export function readSeconds(option: string, given: string | undefined, { byDefault, max }: { byDefault: number; max: number }): number {
  const seconds = Number(given ?? byDefault);
  if (given?.trim() === '' || !Number.isInteger(seconds) || seconds < 1 || seconds > max)
    throw new Error(`--${option} ${given}: whole seconds, 1 to ${max}`);
  return seconds;
}

/** @throws an error that names the option: it is no whole number in this range */
export function readCount(
  option: string,
  given: string | undefined,
  { byDefault, min = 1, max }: { byDefault: number; min?: number; max: number },
): number {
  const count = given === undefined ? byDefault : /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (!(count >= min && count <= max)) throw new Error(`--${option} ${given}: a whole number, ${min} to ${max}`);
  return count;
}

/** As `parseArgs`, whose errors name the argument. An option with one value is said once: it would be the last one quietly. */
export const parseOptions: typeof parseArgs = (config) => {
  try {
    const parsed = parseArgs(config);
    refuseRepeated(config);
    return parsed;
  } catch (cause) {
    throw new Error(errorMessage(cause), { cause });
  }
};

function refuseRepeated(config: ParseArgsConfig | undefined): void {
  const { tokens } = parseArgs({ ...config, tokens: true });
  const said = tokens.flatMap((token) => (token.kind === 'option' && token.value !== undefined ? [token.name] : []));
  for (const name of new Set(said)) {
    const times = said.filter((other) => other === name).length;
    if (times > 1 && !config?.options?.[name]?.multiple) throw new Error(`--${name} is said ${times} times; once is enough`);
  }
}
