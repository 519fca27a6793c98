/**
 * The REST API on a port of its own, built from the deployed `AWS::ApiGateway::*` resources.
 *
 * What it does not do (2026-11-30):
 * - the stage in the URL: locally the root of the port is what `/<stage>` is on AWS, and what clients sign;
 * - signatures in the query and Signature Version 4A (501); sessions do not expire, so no token is an expired one;
 * - Cognito authorization (an error at deployment), API keys, usage plans, request validation, CORS by MOCK, models, stage variables;
 * - a route that is not there is 403 MISSING_AUTHENTICATION_TOKEN even with an `Authorization` header, which AWS would try to read as a
 *   signature first (IncompleteSignatureException);
 * - the limits of a request's head: 10,240 bytes of URL or of header values, and 1,600 of a method's ARN with authorization (414);
 * - whether AWS throttles before it authorizes, as this does, is not documented;
 * - integrations other than AWS_PROXY with Lambda;
 * - resource policies of the API, custom domains, TLS, caching, compression, access logs;
 * - the rate of streams (full speed for 10 MB, then 2 MB/s on AWS) and their idle time-out;
 * - what AWS does with `//`, `..` and a trailing slash in a path is not documented: they reach the function as sent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Loopback, onLoopback } from '../loopback.ts';
import { type AuthorizationOptions, type AuthorizeMethod, createAuthorization } from './authorization.ts';
import { bodyReader, encodeBody } from './body.ts';
import { sendBuffered } from './buffered.ts';
import { createProxyEvent } from './event.ts';
import { type Refusal, sendGatewayResponse } from './gateway-response.ts';
import { mayInvoke, methodSource } from './invocable.ts';
import type { Api, Integration } from './model.ts';
import { type GatewayRequest, readRequest } from './request.ts';
import { createRouter, type Router } from './routes.ts';
import { MAX_STREAMED_BYTES, sendStreamed } from './streamed.ts';
import { type Admit, createThrottle } from './throttle.ts';

/** As the AWS port: clients close idle connections first, and nothing looks for slow ones. */
const KEEP_ALIVE_MS = 120_000;
const NEVER_CHECK_MS = 2 ** 31 - 1;

export interface RestApiOptions extends Omit<AuthorizationOptions, 'now'> {
  /** Milliseconds since the epoch; a test moves them. */
  now?: () => number;
  /** Longest streamed answer; a test lowers it. */
  maxStreamedBytes?: number;
}

export interface RestApi extends Loopback {
  /** Replaces what the API is; requests under way finish by what it was. */
  deploy(api: Api): void;
}

interface Deployment {
  api: Api;
  route: Router;
  admit: Admit;
  authorize: AuthorizeMethod;
}

interface Exchange {
  deployment: Deployment;
  request: GatewayRequest;
  message: IncomingMessage;
  response: ServerResponse;
}

export function openRestApi(options: RestApiOptions): RestApi {
  const { functions, now = Date.now, maxStreamedBytes = MAX_STREAMED_BYTES } = options;
  let deployment: Deployment | null = null;
  const server = createServer(
    { noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0, headersTimeout: 0, connectionsCheckingInterval: NEVER_CHECK_MS },
    (message, response) => void answer(message, response),
  );

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once('finish', () => {
      if (!message.complete) message.resume();
    });
    if (deployment === null) return sendPlain(response, 503, 'The API is not deployed yet');
    const exchange: Exchange = { deployment, request: readRequest(message), message, response };
    try {
      const refusal = await serve(exchange);
      if (refusal !== null && !response.headersSent) sendGatewayResponse(deployment.api, exchange.request, response, refusal);
    } catch (error) {
      // Who left in the midst of a request is owed no answer.
      if (message.destroyed && !message.complete) return;
      process.stderr.write(`sandbox defect: ${error instanceof Error ? error.stack : String(error)}\n`);
      if (response.headersSent) response.destroy();
      else sendPlain(response, 500, 'The sandbox failed');
    }
  }

  /** `null`: the request was answered, or its connection broken. */
  async function serve(exchange: Exchange): Promise<Refusal | null> {
    const { deployment, request, message, response } = exchange;
    const route = deployment.route(request.httpMethod, request.path);
    if (route === null) return { type: 'MISSING_AUTHENTICATION_TOKEN' };
    if (!deployment.admit(route, request.httpMethod)) return { type: 'THROTTLED' };
    const readBody = bodyReader(message);
    const allowed = await deployment.authorize({ message, request, route, readBody });
    if ('refusal' in allowed) return allowed.refusal;
    if ('unsupported' in allowed) {
      sendPlain(response, 501, allowed.unsupported);
      return null;
    }
    const bytes = await readBody();
    if (bytes === 'too-large') return { type: 'REQUEST_TOO_LARGE' };
    const body = encodeBody(deployment.api, request, bytes);
    const event = JSON.stringify(createProxyEvent(deployment.api, request, route, allowed.caller, body));
    const { integration } = route.method;
    if (!mayInvoke(functions, integration.functionArn, methodSource(deployment.api, route.method))) {
      return { type: 'API_CONFIGURATION_ERROR' };
    }
    return integrate(exchange, integration, event);
  }

  async function integrate({ deployment, request, response }: Exchange, integration: Integration, event: string): Promise<Refusal | null> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => {
      late.resolve('late');
      if (response.headersSent) response.destroy();
    }, integration.timeoutMs);
    try {
      if (!integration.streaming) {
        const result = await Promise.race([functions.invoke(integration.functionArn, event), late.promise]);
        if (result === 'late') return { type: 'INTEGRATION_TIMEOUT' };
        return sendBuffered(deployment.api, request, response, result) ? null : { type: 'INTEGRATION_FAILURE' };
      }
      const started = functions.invokeStreaming(integration.functionArn, event);
      const result = await Promise.race([started, late.promise]);
      if (result === 'late') {
        void started.then((stream) => ('body' in stream ? stream.body?.destroy() : undefined));
        return { type: 'INTEGRATION_TIMEOUT' };
      }
      if (!('body' in result) || result.body === null) return { type: 'INTEGRATION_FAILURE' };
      const sent = sendStreamed(request, response, result.body, maxStreamedBytes);
      const outcome = await Promise.race([sent, late.promise]);
      if (outcome === 'late' && !response.headersSent) result.body.destroy();
      if (outcome === 'late') return response.headersSent ? null : { type: 'INTEGRATION_TIMEOUT' };
      return outcome ? null : { type: 'INTEGRATION_FAILURE' };
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    deploy(api) {
      deployment = {
        api,
        route: createRouter(api),
        admit: createThrottle(api, now),
        authorize: createAuthorization(api, { ...options, now }),
      };
    },
    ...onLoopback(server),
  };
}

function sendPlain(response: ServerResponse, status: number, message: string): void {
  const body = Buffer.from(JSON.stringify({ message }));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
