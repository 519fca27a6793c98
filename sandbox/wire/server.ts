/**
 * The one port of the sandbox: checks signatures and hands requests to the service that their scope names.
 *
 * What it does not do (2026-11-30): presigned URLs of services other than S3, Signature Version 4A and 2, form uploads (`POST` with a
 * policy), virtual-hosted S3 addresses, TLS, HTTP/2, Regions other than the one in account.ts.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import { type Loopback, onLoopback } from '../loopback.ts';
import type { Interceptor, Service, WireRequest } from '../service.ts';
import {
  type Authenticated,
  authenticatePresigned,
  authenticateS3,
  authenticateService,
  identificationOf,
  type Target,
} from './authenticate.ts';
import { parseAuthorization } from './authorization-header.ts';
import type { Credentials } from './credentials.ts';
import { asAwsError, sendError } from './error-response.ts';
import { streamPayload } from './payload.ts';
import { severalMechanisms } from './presigned-errors.ts';
import { type Protocol, protocolOf } from './protocol.ts';
import { refuse, unsupportedMechanism } from './signature-errors.ts';

/** Longer than clients keep an idle connection, so that it is always they who close it. */
const KEEP_ALIVE_MS = 120_000;
/** Node looks for slow clients with an interval; on loopback that is idle work. This is the longest one it takes. */
const NEVER_CHECK_MS = 2 ** 31 - 1;

export interface AwsServerOptions {
  /** By the name in the credential scope: `s3`, `kms`, `secretsmanager`, `sqs`, `dynamodb`, `sts`, `lambda` … */
  services: Record<string, Service>;
  credentials: Credentials;
  /** By path prefix, e.g. `/_sandbox/health`: what answers without a signature. */
  local?: Record<string, Service>;
  /** Asked for every signed request; `null`: nothing stands between. */
  interceptor?: () => Interceptor | null;
  /** Told of exceptions that no service should throw; writes the stack to stderr unless given. */
  onDefect?: (error: unknown) => void;
}

export function createAwsServer(options: AwsServerOptions): Loopback {
  const { services, credentials, local = {}, interceptor = () => null, onDefect = printDefect } = options;
  const server = createServer(
    { noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0, headersTimeout: 0, connectionsCheckingInterval: NEVER_CHECK_MS },
    (request, response) => void answer(request, response, () => {}),
  );
  server.on('checkContinue', (request, response) => void answer(request, response, () => response.writeContinue()));

  async function answer(request: IncomingMessage, response: ServerResponse, sendContinue: () => void): Promise<void> {
    const requestId = randomUUID();
    let protocol: Protocol = request.headers['x-amz-target'] === undefined ? 'rest-xml' : 'json';
    // Bytes that nobody read would stand between this answer and the next request of the connection.
    response.once('finish', () => {
      if (!request.complete) request.unpipe().resume();
    });
    try {
      const target = targetOf(request);
      const identification = identificationOf(request, target);
      switch (identification.by) {
        case 'both':
          throw severalMechanisms();
        case 'query':
          if (identification.version === 2) throw unsupportedMechanism();
          return await answerPresigned(request, response, target, requestId, sendContinue);
        case 'nothing':
          return await answerUnsigned(request, response, target, requestId, sendContinue);
        case 'header': {
          const authorization = parseAuthorization(identification.header);
          protocol = protocolOf(authorization.service, request.headers);
          nameRequest(response, protocol, requestId);
          const service = services[authorization.service];
          if (!service) throw new AwsError(501, 'NotImplemented', `The sandbox does not implement the service ${authorization.service}.`);
          const authenticated =
            protocol === 'rest-xml'
              ? authenticateS3(request, target, authorization, credentials)
              : await authenticateService(request, target, authorization, credentials, protocol, sendContinue);
          if (protocol === 'rest-xml') sendContinue();
          const call = wireRequest(request, target, authenticated, requestId);
          const intercept = interceptor();
          if (intercept === null) return await service.handle(call, response);
          return await intercept({ name: authorization.service, protocol, service, request: call, response });
        }
        default:
          return identification satisfies never;
      }
    } catch (error) {
      if (!(error instanceof AwsError)) onDefect(error);
      sendError(protocol, response, asAwsError(error), requestId);
    }
  }

  async function answerPresigned(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    requestId: string,
    sendContinue: () => void,
  ) {
    nameRequest(response, 'rest-xml', requestId);
    const authenticated = authenticatePresigned(request, target, credentials);
    if (!services.s3) throw new AwsError(501, 'NotImplemented', 'The sandbox does not implement the service s3.');
    sendContinue();
    await services.s3.handle(wireRequest(request, target, authenticated, requestId), response);
  }

  async function answerUnsigned(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    requestId: string,
    sendContinue: () => void,
  ) {
    const service = localService(target.rawPath) ?? anonymousService(request, target.rawPath);
    nameRequest(response, 'rest-xml', requestId);
    const payload = streamPayload(request, null);
    sendContinue();
    const nobody = { ...payload, principal: null, signature: null, query: new URLSearchParams(target.rawQuery) };
    await service.handle(wireRequest(request, target, nobody, requestId), response);
  }

  function localService(rawPath: string): Service | null {
    const prefix = Object.keys(local)
      .filter((candidate) => rawPath === candidate || rawPath.startsWith(candidate.endsWith('/') ? candidate : `${candidate}/`))
      .sort((a, b) => b.length - a.length)[0];
    return prefix === undefined ? null : (local[prefix] ?? null);
  }

  function anonymousService(request: IncomingMessage, rawPath: string): Service {
    if (request.headers['x-amz-target'] !== undefined) throw refuse('json', { kind: 'missing' });
    if (rawPath.startsWith('/_sandbox/')) throw new AwsError(404, 'NotFound', `The sandbox has nothing at ${rawPath}`);
    if (!services.s3) throw refuse('rest-xml', { kind: 'missing' });
    return services.s3;
  }

  return onLoopback(server);
}

function targetOf(request: IncomingMessage): Target {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return mark === -1 ? { rawPath: url, rawQuery: '' } : { rawPath: url.slice(0, mark), rawQuery: url.slice(mark + 1) };
}

type Unsigned = Omit<Authenticated, 'principal' | 'signature'> & { principal: null; signature: null };

function wireRequest(
  request: IncomingMessage,
  { rawPath }: Target,
  { body, trailers, contentLength, principal, signature, query }: Authenticated | Unsigned,
  requestId: string,
): WireRequest {
  const { headers } = request;
  removeFramingFrom(headers);
  const secure = headers['x-sandbox-insecure'] !== '1';
  const method = request.method ?? 'GET';
  return { method, rawPath, query, headers, body, trailers, contentLength, principal, signature, requestId, secure };
}

/** `aws-chunked` was for the way only: S3 does not store it as content encoding. */
function removeFramingFrom(headers: IncomingMessage['headers']): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || !encoding.includes('aws-chunked')) return;
  const rest = encoding
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== 'aws-chunked' && name !== '');
  if (rest.length > 0) headers['content-encoding'] = rest.join(',');
  else delete headers['content-encoding'];
}

function nameRequest(response: ServerResponse, protocol: Protocol, requestId: string): void {
  if (protocol !== 'rest-xml') return void response.setHeader('x-amzn-RequestId', requestId);
  response.setHeader('x-amz-request-id', requestId);
  response.setHeader('x-amz-id-2', 'sandbox');
}

function printDefect(error: unknown): void {
  process.stderr.write(`sandbox defect: ${error instanceof Error ? error.stack : String(error)}\n`);
}
