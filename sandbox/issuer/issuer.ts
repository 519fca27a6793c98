/**
 * A small OIDC issuer: a discovery document, the public key, and tokens for whoever runs the sandbox.
 *
 * What it does not do (2026-11-30): log anybody in. There are no authorization, token and userinfo endpoints; tokens come
 * from `issueToken`, in process, and by endpoint.ts.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, type JWK, SignJWT } from 'jose';
import { AwsError } from '../aws-error.ts';
import type { Service } from '../service.ts';
import type { State } from '../state.ts';

/** Where it answers on the AWS port. */
export const ISSUER_PATH = '/_sandbox/oidc';

const ALGORITHM = 'ES256';
const DEFAULT_TTL_SECONDS = 12 * 60 * 60;

export interface TokenRequest {
  sub: string;
  groups?: readonly string[];
  /** Default 12 hours. */
  ttlSeconds?: number;
  /** Further claims; they win over all others, so that a test can make any token wrong. */
  claims?: Record<string, unknown>;
}

export interface Issuer {
  /** Answers below ISSUER_PATH. */
  service: Service;
  /** A signed token with the stack's audience. */
  issueToken(request: TokenRequest): Promise<string>;
}

/**
 * @param endpoint origin of the AWS port, asked at each token: the issuer's URL is `<endpoint>/_sandbox/oidc`
 * @param audience what the tokens are for
 */
export async function openIssuer(state: State, options: { endpoint: () => string; audience: () => string }): Promise<Issuer> {
  const { privateKey, publicJwk } = await openKey(join(state.folder('issuer'), 'signing-key.pem'));
  const issuer = () => `${options.endpoint()}${ISSUER_PATH}`;
  const documents: Record<string, () => unknown> = {
    [`${ISSUER_PATH}/.well-known/openid-configuration`]: () => ({
      issuer: issuer(),
      jwks_uri: `${issuer()}/jwks.json`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
      claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'groups'],
    }),
    [`${ISSUER_PATH}/jwks.json`]: () => ({ keys: [publicJwk] }),
  };

  return {
    service: {
      async handle(request, response) {
        const document = request.method === 'GET' || request.method === 'HEAD' ? documents[request.rawPath] : undefined;
        if (document === undefined) throw new AwsError(404, 'NotFound', `The issuer has nothing at ${request.method} ${request.rawPath}`);
        const body = Buffer.from(JSON.stringify(document()));
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
        response.end(request.method === 'HEAD' ? undefined : body);
      },
    },
    async issueToken({ sub, groups = [], ttlSeconds = DEFAULT_TTL_SECONDS, claims = {} }) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer(), aud: options.audience(), sub, groups, iat: now, exp: now + ttlSeconds, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: ALGORITHM, kid: publicJwk.kid ?? '', typ: 'JWT' }).sign(privateKey);
    },
  };
}

/** Made once and kept, so that tokens outlive a restart. */
async function openKey(path: string): Promise<{ privateKey: Awaited<ReturnType<typeof importPKCS8>>; publicJwk: JWK }> {
  const pem = readIfThere(path) ?? (await createKey(path));
  const privateKey = await importPKCS8(pem, ALGORITHM, { extractable: true });
  const { kty, crv, x, y } = await exportJWK(privateKey);
  const kid = createHash('sha256').update(`${x}.${y}`).digest('base64url').slice(0, 16);
  const publicJwk = Object.fromEntries(
    Object.entries({ kty, crv, x, y, kid, alg: ALGORITHM, use: 'sig' }).filter(([, value]) => value !== undefined),
  );
  return { privateKey, publicJwk };
}

async function createKey(path: string): Promise<string> {
  const pem = await exportPKCS8((await generateKeyPair(ALGORITHM, { extractable: true })).privateKey);
  writeFileSync(path, pem, { mode: 0o600 });
  return pem;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
