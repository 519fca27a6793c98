/**
 * `serverless invoke local` runs one function on this machine. It takes no `Fn::Sub` and no `Fn::GetAtt` in an environment and loads no
 * `.mjs`, so what it needs comes from the shell: `.sandbox/env`, or the same variables with a deployed stack's outputs.
 */
import { z } from 'zod';
import type { Text } from './cloudformation.ts';
import type { FunctionName } from './names.ts';
import type { Settings } from './settings.ts';
import { shownError } from './shown-error.ts';
import { sizesOf } from './sizes.ts';

type Environment = Record<FunctionName, Record<string, Text>>;
type Shell = Record<string, string | undefined>;

/** What each of the functions' variables is called in `.sandbox/env`; each queue that feeds a function has dead letters. */
const SHELL_NAMES: Record<string, string | Partial<Record<FunctionName, string>>> = {
  TARGET_BUCKET: 'SEALDROP_TARGET_BUCKET',
  AUDIT_TABLE: 'SEALDROP_AUDIT_TABLE',
  STACK_NAME: 'SEALDROP_STACK',
  INGEST_QUEUE_URL: 'SEALDROP_QUEUE_URL',
  TARGET_EVENTS_QUEUE_URL: 'SEALDROP_TARGET_EVENTS_QUEUE_URL',
  DEAD_LETTER_QUEUE_URL: {
    encrypt: 'SEALDROP_DEAD_LETTER_QUEUE_URL',
    audit: 'SEALDROP_TARGET_EVENTS_DEAD_LETTER_QUEUE_URL',
    transit: 'SEALDROP_TRANSIT_DEAD_LETTER_QUEUE_URL',
  },
  TRANSIT_BUCKET: 'SEALDROP_TRANSIT_BUCKET',
  TRANSIT_QUEUE_URL: 'SEALDROP_TRANSIT_QUEUE_URL',
  KMS_KEY_ARN: 'SEALDROP_KMS_KEY_ARN',
  CUSTOMER_KEY_SECRET: 'SEALDROP_CUSTOMER_KEY_SECRET',
};
const OWNERS = ['TARGET_BUCKET_OWNER', 'INGEST_BUCKET_OWNER', 'TRANSIT_BUCKET_OWNER'];
const KEY_ARN = 'SEALDROP_KMS_KEY_ARN';

/** By the functions' names. */
const functionCredentials = z.record(
  z.string(),
  z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), sessionToken: z.string() }),
);

/** @param argv as Node has it: node, serverless, the command */
export function isInvokeLocal(argv: readonly string[]): boolean {
  return argv[2] === 'invoke' && argv[3] === 'local';
}

/** @throws an error without a stack trace that names the variables that the shell lacks */
export function localEnvironment(
  environment: Environment,
  settings: Pick<Settings, 'oidcIssuer' | 'oidcAudience' | 'partsAboveMiB' | 'partMiB' | 'redirectAboveMiB'>,
  shell: Shell,
): Environment {
  const missing = new Set<string>();
  const ofShell = (name: string): string => {
    const value = shell[name];
    if (!value) missing.add(name);
    return value ?? '';
  };
  const localValue = (name: FunctionName, variable: string): string => {
    if (OWNERS.includes(variable)) return ofShell(KEY_ARN).split(':')[4] ?? '';
    if (variable === 'OIDC_ISSUER') return settings.oidcIssuer;
    if (variable === 'OIDC_AUDIENCE') return settings.oidcAudience;
    if (variable === 'PARTS_ABOVE_BYTES') return sizesOf(settings).PartsAboveBytes;
    if (variable === 'PART_BYTES') return sizesOf(settings).PartBytes;
    if (variable === 'REDIRECT_ABOVE_BYTES') return sizesOf(settings).RedirectAboveBytes;
    if (variable === 'MAX_STREAMED_BYTES') return sizesOf(settings).MaxStreamedBytes;
    // No output tells it; without it the record alone tells own writes apart.
    if (variable === 'ENCRYPT_ROLE_ID') return 'unknown';
    const shellName = SHELL_NAMES[variable];
    return ofShell((typeof shellName === 'object' ? shellName[name] : shellName) ?? variable);
  };
  const signing = credentialsOf(shell);
  const local = (Object.keys(environment) as FunctionName[]).map((name) => [
    name,
    {
      ...Object.fromEntries(
        Object.entries(environment[name]).map(([variable, value]) => [
          variable,
          typeof value === 'string' ? value : localValue(name, variable),
        ]),
      ),
      ...signing(name),
    },
  ]);
  if (missing.size > 0) {
    throw shownError(
      `serverless invoke local needs ${[...missing].join(', ')} in the environment: run "npm start", then "source .sandbox/env"`,
    );
  }
  return Object.fromEntries(local);
}

/** The sandbox tells each function's own; elsewhere whoever invokes it signs, and may be refused what only the function's role may. */
function credentialsOf({
  SEALDROP_FUNCTION_CREDENTIALS: given,
  SEALDROP_STACK: stack,
}: Shell): (name: FunctionName) => Record<string, string> {
  const all = given ? functionCredentials.parse(JSON.parse(given)) : {};
  return (name) => {
    const own = all[`${stack}-${name}`];
    if (own === undefined) return {};
    return { AWS_ACCESS_KEY_ID: own.accessKeyId, AWS_SECRET_ACCESS_KEY: own.secretAccessKey, AWS_SESSION_TOKEN: own.sessionToken };
  };
}
