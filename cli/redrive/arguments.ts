/** What `sealdrop redrive` was asked. */
import {
  type Environment,
  parseOptions,
  readSeconds,
  readStackArguments,
  STACK_OPTIONS,
  STACK_USAGE,
  type StackArguments,
} from '../stack-arguments.ts';

const DEFAULT_TIMEOUT = 900;
const MAX_TIMEOUT = 12 * 3600;
/** As codes are written; a dead letter may have one of another release. */
const CODE = /^[a-z][a-z0-9-]*$/;

export const USAGE = `npx sealdrop redrive [--code CODE]… [--key PREFIX] [--dry-run] [--timeout ${DEFAULT_TIMEOUT}] [--stage dev] [--region REGION] [--json]

Sends dead letters back to the ingest queue, and follows each until it is encrypted, or failed again. Those whose object was encrypted since, or
took a newer state, are dropped. npx sealdrop failures lists codes.

  --code           only those of this code; may be said more than once. What holds no object or may lie exposed goes back only if its code is named: malformed-event, answer-mismatch
  --key            only those of keys that begin so
  --dry-run        says what it would do
  --timeout        seconds to follow what was sent back
${STACK_USAGE}

Exit codes: 0 all is well · 1 some failed again, were not sent, not seen, or are still under way · 2 it could not look`;

export interface RedriveArguments extends StackArguments {
  /** None: all, but those that hold no object. */
  codes: string[];
  keyPrefix: string;
  dryRun: boolean;
  timeoutMs: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Environment): RedriveArguments {
  const { values } = parseOptions({
    args,
    options: {
      ...STACK_OPTIONS,
      code: { type: 'string', multiple: true, default: [] },
      key: { type: 'string', default: '' },
      'dry-run': { type: 'boolean', default: false },
      timeout: { type: 'string' },
    },
  });
  const wrong = values.code.find((code) => !CODE.test(code));
  if (wrong !== undefined) throw new Error(`--code ${wrong}: npx sealdrop failures lists the codes`);
  return {
    ...readStackArguments(values, env),
    codes: values.code,
    keyPrefix: values.key,
    dryRun: values['dry-run'],
    timeoutMs: readSeconds('timeout', values.timeout, { byDefault: DEFAULT_TIMEOUT, max: MAX_TIMEOUT }) * 1000,
  };
}
