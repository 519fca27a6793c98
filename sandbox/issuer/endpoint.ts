/**
 * Tokens on the wire, for whoever started the sandbox: `POST /_sandbox/token`.
 *
 * Guarded as the faults are: requests are signed, with `sandbox` as the service, and only the administrator's are taken. Otherwise a
 * function of the stack, or a web page open on this machine, could read whatever a token opens.
 */
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { ADMINISTRATOR_ARN } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Service, WireRequest } from '../service.ts';
import { sendError } from '../wire/error-response.ts';
import type { Issuer, TokenRequest } from './issuer.ts';

export const TOKEN_PATH = '/_sandbox/token';

/** As long as the one that the sandbox gives by itself. */
export const MAX_TTL_SECONDS = 12 * 60 * 60;
const MAX_BODY_BYTES = 64 * 1024;

const name = z.string().min(1).max(256);

const requestSchema = z.strictObject({
  sub: name,
  groups: z.array(name).max(100),
  ttlSeconds: z.number().int().min(1).max(MAX_TTL_SECONDS),
  /** Default: the stack's. */
  audience: name.optional(),
});

/** @param next answers at any other path */
export function createTokenService(issuer: Pick<Issuer, 'issueToken'>, next: Service): Service {
  return {
    async handle(request, response) {
      if (request.rawPath !== TOKEN_PATH) return next.handle(request, response);
      try {
        await answer(issuer, request, response);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        sendError('rest-json', response, error, request.requestId);
      }
    },
  };
}

async function answer(issuer: Pick<Issuer, 'issueToken'>, request: WireRequest, response: ServerResponse): Promise<void> {
  if (request.principal?.arn !== ADMINISTRATOR_ARN) {
    throw new AwsError(403, 'AccessDeniedException', 'Only the administrator of the sandbox may have tokens issued.');
  }
  if (request.method !== 'POST') throw new AwsError(405, 'MethodNotAllowed', `${TOKEN_PATH} takes POST.`);
  const token = await issuer.issueToken(await readRequest(request));
  const body = JSON.stringify({ token });
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body) };
  response.writeHead(200, headers);
  response.end(body);
}

async function readRequest(request: WireRequest): Promise<TokenRequest> {
  if ((request.contentLength ?? 0) > MAX_BODY_BYTES) throw new AwsError(413, 'RequestEntityTooLargeException', 'The request is too large.');
  const parsed = requestSchema.safeParse(parseJson(await text(request.body)));
  if (!parsed.success) throw new AwsError(400, 'ValidationException', z.prettifyError(parsed.error));
  const { audience, ...rest } = parsed.data;
  return audience === undefined ? rest : { ...rest, claims: { aud: audience } };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new AwsError(400, 'SerializationException', 'The request is not valid JSON.');
  }
}
