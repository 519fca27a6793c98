/** A REST API with functions behind it, and a client that sends requests exactly as told. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { functionArn } from '../../../sandbox/lambda/index.ts';
import { ACCOUNT_THROTTLE, type Api, type Authorization, type Method, openRestApi, type RestApi } from '../../../sandbox/rest-api/index.ts';
import { openWorkbench, type Workbench } from '../lambda/workbench.ts';

const API_ID = 'api1234567';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** False when the connection broke before the answer was whole. */
  complete: boolean;
}

export interface Gateway {
  bench: Workbench;
  api: RestApi;
  url: string;
  deploy(methods: Method[], more?: Partial<Api>): void;
  send(method: string, path: string, options?: { headers?: Record<string, string | string[]>; body?: string | Buffer }): Promise<Reply>;
  close(): Promise<void>;
}

export async function openGateway(options: { maxStreamedBytes?: number; now?: () => number } = {}): Promise<Gateway> {
  const bench = openWorkbench();
  const { functions, credentials, access } = bench;
  const api = openRestApi({ functions, credentials, judge: access.judge, ...options });
  const { url } = await api.listen(0);
  return {
    bench,
    api,
    url,
    deploy(methods, more = {}) {
      for (const { integration, authorization } of methods) {
        permit(bench, integration.functionArn);
        if (authorization.type === 'CUSTOM') permit(bench, authorization.authorizer.functionArn);
      }
      const throttling = { default: ACCOUNT_THROTTLE, methods: {} };
      api.deploy({ id: API_ID, stage: 'dev', throttling, binaryMediaTypes: [], gatewayResponses: {}, methods, ...more });
    },
    send: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(url);
        const outgoing = httpRequest({ hostname, port, method, path, headers, agent: false }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk) => chunks.push(chunk));
          incoming.on('error', () => {});
          incoming.once('close', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks),
              complete: incoming.complete,
            }),
          );
        });
        outgoing.once('error', reject);
        outgoing.end(body);
      }),
    async close() {
      await api.close();
      await bench.close();
    },
  };
}

/** As Serverless writes it: for all of the API. */
function permit({ functions }: Workbench, arn: string): void {
  functions.permit(arn.slice(arn.lastIndexOf(':') + 1), {
    functionArn: arn,
    action: 'lambda:InvokeFunction',
    principal: 'apigateway.amazonaws.com',
    sourceArn: `arn:aws:execute-api:us-east-1:000000000000:${API_ID}/*/*`,
    sourceAccount: null,
  });
}

/** A method of the API; its function is `fn` unless told otherwise. */
export function method(
  httpMethod: string,
  resourcePath: string,
  more: { fn?: string; streaming?: boolean; timeoutMs?: number; authorization?: Authorization } = {},
): Method {
  const { fn = 'fn', streaming = false, timeoutMs = 29_000, authorization = { type: 'NONE' } } = more;
  return {
    resourceId: 'res123',
    resourcePath,
    httpMethod,
    authorization,
    integration: { functionArn: functionArn(fn), streaming, timeoutMs },
  };
}
