/** Bearer tokens: OIDC JWTs of the configured issuer. Authenticates only; rights are decided where objects are served. */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import * as z from 'zod/mini';
import { SealdropError } from './errors.ts';
import type { Claims } from './http/access.ts';

/** Asymmetric signatures only: with a shared secret every verifier could issue. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** How far the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Plain HTTP cannot be tampered with on its way from here to here. */
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

const DISCOVERY_TIMEOUT_MS = 5_000;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

export interface AuthenticateDeps {
  /** Exactly as in the tokens' `iss`. */
  issuer: string;
  audience: string;
  fetch: typeof fetch;
}

export type Authenticate = (authorization: string | undefined) => Promise<Claims>;

/**
 * @returns a function from an Authorization header to the verified claims. It throws SealdropError `unauthenticated` for
 * any token that is not valid, and a retryable one when the issuer cannot be asked. Keys are cached and fetched again
 * when the issuer rotates them.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  if (!isTrustworthy(deps.issuer)) {
    throw new SealdropError('config-invalid', `OIDC_ISSUER is ${deps.issuer}; it must be an https URL`);
  }
  let keys: Promise<JWTVerifyGetKey> | null = null;
  const issuerKeys = () => {
    keys ??= discover(deps).catch((error: unknown) => {
      keys = null;
      throw error;
    });
    return keys;
  };
  return async (authorization) => {
    const [, token] = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) throw new SealdropError('unauthenticated', 'The Authorization header holds no bearer token');
    const getKey = await issuerKeys();
    try {
      const { payload } = await jwtVerify(token, getKey, {
        issuer: deps.issuer,
        audience: deps.audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      if (payload.sub === '' || typeof payload.sub !== 'string') throw new errors.JWTClaimValidationFailed('no subject', payload, 'sub');
      return payload;
    } catch (error) {
      if (error instanceof errors.JWKSTimeout)
        throw new SealdropError('time-out', "the issuer's keys did not come in time", { cause: error });
      // jose has no class of its own for an answer that is not a key set; its other classes all judge the token.
      const judged = error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC' && error.code !== 'ERR_JWKS_INVALID';
      if (judged) throw new SealdropError('unauthenticated', `The token is not valid (${error.code})`, { cause: error });
      throw new SealdropError('service-unavailable', "the issuer's keys cannot be fetched", { cause: error });
    }
  };
}

async function discover({ issuer, fetch }: AuthenticateDeps): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const unavailable = (cause?: unknown) =>
    new SealdropError('service-unavailable', `the issuer's discovery document cannot be read (${url})`, { cause });
  const answer = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) }).catch((error: unknown) => {
    throw unavailable(error);
  });
  const document = discoverySchema.safeParse(answer.ok ? await answer.json().catch(() => null) : null);
  if (!document.success) throw unavailable();
  if (document.data.issuer !== issuer) {
    throw new SealdropError('config-invalid', `OIDC_ISSUER is ${issuer}, but its discovery document says ${document.data.issuer}`);
  }
  if (!isTrustworthy(document.data.jwks_uri)) {
    throw new SealdropError('config-invalid', `the issuer's jwks_uri is ${document.data.jwks_uri}; it must be an https URL`);
  }
  return createRemoteJWKSet(new URL(document.data.jwks_uri), { [customFetch]: fetch });
}

/** Who can change keys on their way can sign tokens. */
function isTrustworthy(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {};
  return protocol === 'https:' || (protocol === 'http:' && hostname !== undefined && LOOPBACK.has(hostname));
}
