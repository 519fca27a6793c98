/**
 * The REST API on a port of its own, built from the deployed `AWS::ApiGateway::*` resources.
 *
 * What it does not do (2026-11-21):
 * - the stage in the URL: locally the root of the port is what `/<stage>` is on AWS;
 * - AWS_IAM and Cognito authorization (501), API keys, usage plans, throttling, request validation, CORS by MOCK, models;
 * - integrations other than AWS_PROXY with Lambda;
 * - resource policies of the API, custom domains, TLS, caching, compression, access logs;
 * - the rate of streams (full speed for 10 MB, then 2 MB/s on AWS) and their idle time-out;
 * - what AWS does with `//`, `..` and a trailing slash in a path is not documented: they reach the function as sent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Functions } from '../lambda/index.ts';
import { type Loopback, onLoopback } from '../loopback.ts';
import { type Authorize, createAuthorize } from './authorizer.ts';
import { readBody, sendBuffered } from './buffered.ts';
import { type Refusal, sendGatewayResponse } from './gateway-response.ts';
import { mayInvoke, methodSource } from './invocable.ts';
import type { Api, Integration, Method } from './model.ts';
import { type AuthorizerContext, createProxyEvent, type GatewayRequest, type RouteMatch, readRequest } from './request.ts';
import { createRouter, type Router } from './routes.ts';
import { MAX_STREAMED_BYTES, sendStreamed } from './streamed.ts';

/** As the AWS port: clients close idle connections first, and nothing looks for slow ones. */
const KEEP_ALIVE_MS = 120_000;
const NEVER_CHECK_MS = 2 ** 31 - 1;

export interface RestApiOptions {
  functions: Functions;
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
  authorize: Authorize;
}

interface Exchange {
  deployment: Deployment;
  request: GatewayRequest;
  message: IncomingMessage;
  response: ServerResponse;
}

export function openRestApi({ functions, maxStreamedBytes = MAX_STREAMED_BYTES }: RestApiOptions): RestApi {
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
    const allowed = await authorizeMethod(deployment, request, route);
    if ('refusal' in allowed) return allowed.refusal;
    if ('unsupported' in allowed) {
      sendPlain(response, 501, allowed.unsupported);
      return null;
    }
    const body = await readBody(deployment.api, request, message);
    if (body === 'too-large') return { type: 'REQUEST_TOO_LARGE' };
    const event = JSON.stringify(createProxyEvent(deployment.api, request, route, allowed.context, body));
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
      deployment = { api, route: createRouter(api), authorize: createAuthorize(api, functions) };
    },
    ...onLoopback(server),
  };
}

type Allowed = { context: AuthorizerContext | null } | { refusal: Refusal } | { unsupported: string };

async function authorizeMethod({ authorize }: Deployment, request: GatewayRequest, route: RouteMatch): Promise<Allowed> {
  const { authorization }: Method = route.method;
  switch (authorization.type) {
    case 'NONE':
      return { context: null };
    case 'AWS_IAM':
      return { unsupported: 'The sandbox does not implement AWS_IAM authorization of the REST API.' };
    case 'CUSTOM': {
      const outcome = await authorize(authorization.authorizer, request, route);
      return outcome.allowed ? { context: outcome.context } : { refusal: outcome.refusal };
    }
    default:
      return authorization satisfies never;
  }
}

function sendPlain(response: ServerResponse, status: number, message: string): void {
  const body = Buffer.from(JSON.stringify({ message }));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
