/** A token from the sandbox, for who may sign as its administrator. */
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@aws-sdk/checksums/sha';
import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod/mini';
import { TOKEN_PATH } from '../../sandbox/issuer/endpoint.ts';
import { CannotLook } from '../cannot-look.ts';
import type { TokenArguments } from './arguments.ts';

/** In the credential scope of requests to the sandbox itself. */
const SERVICE = 'sandbox';

const answerSchema = z.object({ token: z.string() });
const errorSchema = z.object({ message: z.string() });

/** @throws CannotLook: nobody answers there, it is no sandbox of Sealdrop, or the credentials are not its administrator's */
export async function issueToken(sandbox: URL, { sub, groups, ttlSeconds, audience, region }: TokenArguments): Promise<string> {
  const body = JSON.stringify({ sub, groups, ttlSeconds, ...(audience === null ? {} : { audience }) });
  const url = new URL(TOKEN_PATH, sandbox);
  const headers = await signed(url, body, region);
  const { status, said } = await post(url, headers, body).catch((error: unknown) => {
    throw CannotLook.because(error) ?? error;
  });
  const token = answerSchema.safeParse(said).data?.token;
  if (status === 200 && token !== undefined) return token;
  const why = errorSchema.safeParse(said).data?.message ?? 'that is no sandbox of Sealdrop, or an older one';
  throw new CannotLook(`${sandbox.origin} gives no token (${status}: ${why}).`);
}

/** As every client of AWS finds its credentials and its Region. */
async function signed(url: URL, body: string, region: string | undefined): Promise<Record<string, string>> {
  const client = new STSClient(region === undefined ? {} : { region });
  try {
    const { credentials, region: regionOf } = client.config;
    const signer = new SignatureV4({ service: SERVICE, credentials, region: regionOf, sha256: Sha256 });
    const { hostname, port, protocol, pathname: path } = url;
    const headers = { host: url.host, 'content-type': 'application/json' };
    const request = await signer.sign({ method: 'POST', protocol, hostname, port: Number(port), path, headers, body });
    return request.headers;
  } finally {
    client.destroy();
  }
}

/** Not `fetch`, which refuses ports that a sandbox may have. */
function post(url: URL, headers: Record<string, string>, body: string): Promise<{ status: number; said: unknown }> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const asked = request(url, { method: 'POST', headers }, (answer) => {
      text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, said: parseJson(said) }), reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
