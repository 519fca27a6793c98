/** How a command is told where the API is, and as whom it asks. */
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { errorMessage } from '../sdk-error.ts';
import type { Environment } from '../stack-arguments.ts';

export const API_OPTIONS = { api: { type: 'string' }, 'token-file': { type: 'string' } } as const;

export const API_USAGE = `  --api            the API's URL (default: SEALDROP_API_URL, else what the stack says)
  --token-file     a file with the bearer token (default: SEALDROP_TOKEN); never an argument, which every user of the machine can read`;

/** As RFC 6750 lets a token be: https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Where a token may go without TLS. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface ApiArguments {
  /** `null`: the stack says it. */
  apiUrl: URL | null;
  /** A path. */
  tokenFile: string | null;
}

/** @throws an error whose message says what is wrong */
export function readApiArguments(given: { api?: string; 'token-file'?: string }, env: Environment): ApiArguments {
  const [name, text] = given.api === undefined ? ['SEALDROP_API_URL', env.SEALDROP_API_URL] : ['--api', given.api];
  return { apiUrl: text ? apiUrl(name, text) : null, tokenFile: given['token-file'] ?? null };
}

/** @throws an error that begins with `name`: it is no URL to which a token may be sent */
export function apiUrl(name: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new Error(`${name} ${text}: an https:// URL`);
  if (url.username !== '' || url.password !== '') throw new Error(`${name}: a URL without a user and a password`);
  if (url.protocol === 'http:' && !isLoopback(url))
    throw new Error(`${name} ${text}: the token would travel in the clear; without TLS only this machine may be asked`);
  return url;
}

export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.has(hostname);
}

/** @throws Failure: there is none, it cannot be read, or it is none; its text is in no message */
export function readToken({ tokenFile }: ApiArguments, env: Environment): string {
  const token = (tokenFile === null ? (env.SEALDROP_TOKEN ?? '') : fileText(tokenFile)).trim();
  const where = tokenFile === null ? 'SEALDROP_TOKEN' : tokenFile;
  if (token === '') {
    throw new Failure(tokenFile === null ? 'There is no token.' : `${where} is empty.`, { nextStep: HOW_TO_GET_ONE, exitCode: 2 });
  }
  if (!TOKEN.test(token)) throw new Failure(`What ${where} holds is no bearer token.`, { nextStep: HOW_TO_GET_ONE, exitCode: 2 });
  return token;
}

const HOW_TO_GET_ONE =
  "Set SEALDROP_TOKEN to a token of the API's issuer, or name a file that holds one with --token-file. In the sandbox: npx sealdrop token.";

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure(`The token cannot be read (${errorMessage(cause)}).`, { nextStep: HOW_TO_GET_ONE, exitCode: 2, cause });
  }
}
