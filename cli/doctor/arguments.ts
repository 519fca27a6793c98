/** What `sealdrop doctor` was asked. */
import {
  type Environment,
  parseOptions,
  readSeconds,
  readStackArguments,
  STACK_OPTIONS,
  STACK_USAGE,
  type StackArguments,
} from '../stack-arguments.ts';

const DEFAULT_POLICY = 'policy.yml';
const DEFAULT_TIMEOUT = 60;
const MAX_TIMEOUT = 3600;

export const USAGE = `npx sealdrop doctor [--stage dev] [--policy policy.yml] [--region REGION] [--json] [--no-round-trip] [--timeout 60]

Looks at a deployed stack, on AWS or in the sandbox (source .sandbox/env), and says what is wrong and what to do.

${STACK_USAGE}
  --policy         the policy file that the stack should have
  --no-round-trip  looks only: no object is sent, nothing is written
  --timeout        seconds that an object may take from the ingest bucket to its record

With SEALDROP_TOKEN (a bearer token of the stack's issuer) what was sent is also fetched through the API, at SEALDROP_API_URL or where the stack says.

Exit codes: 0 all is well · 1 there are findings · 2 it could not look`;

export interface DoctorArguments extends StackArguments {
  policyPath: string;
  roundTrip: boolean;
  timeoutMs: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Environment): DoctorArguments {
  const { values } = parseOptions({
    args,
    options: { ...STACK_OPTIONS, policy: { type: 'string' }, 'no-round-trip': { type: 'boolean' }, timeout: { type: 'string' } },
  });
  return {
    ...readStackArguments(values, env),
    policyPath: values.policy ?? DEFAULT_POLICY,
    roundTrip: values['no-round-trip'] !== true,
    timeoutMs: readSeconds('timeout', values.timeout, { byDefault: DEFAULT_TIMEOUT, max: MAX_TIMEOUT }) * 1000,
  };
}
