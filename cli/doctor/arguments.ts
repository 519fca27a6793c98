/** What `sealdrop doctor` was asked. */
import { parseArgs } from 'node:util';
import { errorMessage } from '../sdk-error.ts';
import { stackNameOf } from '../stack.ts';

const DEFAULT_STAGE = 'dev';
const DEFAULT_POLICY = 'policy.yml';
const DEFAULT_TIMEOUT = 60;
const MAX_TIMEOUT = 3600;

export const USAGE = `npx sealdrop doctor [--stage dev] [--policy policy.yml] [--region REGION] [--json] [--no-round-trip] [--timeout 60]

Looks at a deployed stack, on AWS or in the sandbox (source .sandbox/env), and says what is wrong and what to do.

  --stage          which stack: sealdrop-STAGE (default: what SEALDROP_STACK names, else dev)
  --policy         the policy file that the stack should have
  --region         over AWS_REGION and the AWS profile
  --json           one JSON document instead of text
  --no-round-trip  looks only: no object is sent, nothing is written
  --timeout        seconds that an object may take from the ingest bucket to its record

With SEALDROP_TOKEN (a bearer token of the stack's issuer) what was sent is also fetched through the API, at SEALDROP_API_URL or where the stack says.

Exit codes: 0 all is well · 1 there are findings · 2 it could not look`;

export interface DoctorArguments {
  help: boolean;
  stackName: string;
  policyPath: string;
  region: string | undefined;
  json: boolean;
  roundTrip: boolean;
  timeoutMs: number;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[], env: Readonly<Record<string, string | undefined>>): DoctorArguments {
  const { values } = parse(args);
  if (values.stage !== undefined && !/^[a-z][a-z0-9-]{0,15}[a-z0-9]$/.test(values.stage))
    throw new Error(`--stage ${values.stage}: a stage is 2 to 17 lower-case letters, digits and hyphens, and begins with a letter`);
  const timeout = Number(values.timeout ?? DEFAULT_TIMEOUT);
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > MAX_TIMEOUT)
    throw new Error(`--timeout ${values.timeout}: whole seconds, 1 to ${MAX_TIMEOUT}`);
  return {
    help: values.help ?? false,
    stackName: values.stage === undefined ? env.SEALDROP_STACK || stackNameOf(DEFAULT_STAGE) : stackNameOf(values.stage),
    policyPath: values.policy ?? DEFAULT_POLICY,
    region: values.region,
    json: values.json ?? false,
    roundTrip: values['no-round-trip'] !== true,
    timeoutMs: timeout * 1000,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        stage: { type: 'string' },
        policy: { type: 'string' },
        region: { type: 'string' },
        json: { type: 'boolean' },
        'no-round-trip': { type: 'boolean' },
        timeout: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new Error(errorMessage(cause), { cause });
  }
}
