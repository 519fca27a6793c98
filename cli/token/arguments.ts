/** What `sealdrop token` was asked. */
import { MAX_TTL_SECONDS } from '../../sandbox/issuer/endpoint.ts';
import { isLoopback } from '../api/arguments.ts';
import { CannotLook } from '../cannot-look.ts';
import { type Environment, parseOptions } from '../stack-arguments.ts';

const DEFAULT_TTL_MINUTES = 60;
const MAX_TTL_MINUTES = MAX_TTL_SECONDS / 60;

export const USAGE = `npx sealdrop token --sub SUBJECT [--groups GROUP,…] [--ttl-minutes ${DEFAULT_TTL_MINUTES}] [--audience AUDIENCE] [--region REGION]

Gives a token of the sandbox's issuer, so that the access rules of policy.yml can be tried out. It stands alone on standard output:
SEALDROP_TOKEN=$(npx sealdrop token --sub alice --groups finance) npx sealdrop get cards/a.pdf

  --sub            whom the audit trail names
  --groups         the claim "groups", by commas (default: none)
  --ttl-minutes    until it expires; 1 to ${MAX_TTL_MINUTES}
  --audience       the claim "aud" (default: what the stack expects)
  --region         over AWS_REGION and the AWS profile

Asked is the sandbox at AWS_ENDPOINT_URL, as its administrator. On AWS tokens come from your own issuer.

Exit codes: 0 there it is · 2 there is none`;

export interface TokenArguments {
  help: boolean;
  /** There is no document: the token is all. */
  json: false;
  sub: string;
  groups: string[];
  ttlSeconds: number;
  /** `null`: the stack's. */
  audience: string | null;
  region: string | undefined;
}

/** @throws an error whose message says which argument is wrong */
export function readArguments(args: string[]): TokenArguments {
  const { values } = parseOptions({
    args,
    options: {
      sub: { type: 'string', default: '' },
      groups: { type: 'string', default: '' },
      'ttl-minutes': { type: 'string' },
      audience: { type: 'string' },
      region: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (!values.help && values.sub === '') throw new Error('--sub: for whom?');
  const groups = values.groups === '' ? [] : values.groups.split(',').map((group) => group.trim());
  if (groups.includes('')) throw new Error(`--groups ${values.groups}: names with commas between them`);
  const minutes = Number(values['ttl-minutes'] ?? DEFAULT_TTL_MINUTES);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_TTL_MINUTES)
    throw new Error(`--ttl-minutes ${values['ttl-minutes']}: whole minutes, 1 to ${MAX_TTL_MINUTES}`);
  const { help, sub, audience = null, region } = values;
  return { help, json: false, sub, groups, ttlSeconds: minutes * 60, audience, region };
}

/** @throws CannotLook: there is none, so that no token can come from here */
export function sandboxUrl({ AWS_ENDPOINT_URL: endpoint }: Environment): URL {
  const url = endpoint ? URL.parse(endpoint) : null;
  if (url !== null && isLoopback(url)) return url;
  throw new CannotLook(
    `${endpoint ? `AWS_ENDPOINT_URL ${endpoint} is no sandbox on this machine` : 'AWS_ENDPOINT_URL names no sandbox'}: tokens come from your own issuer. For the sandbox's: npm start, and source .sandbox/env.`,
  );
}
