/** The AWS JSON 1.0 and 1.1 protocols: one POST, the operation in `X-Amz-Target`, members as JSON both ways. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { z } from 'zod';
import { ACCOUNT_ID } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { ACCOUNT_ROOT_ARN, type Judge, type Refusal, type RequestContext, type Rule } from '../iam/judge.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type { Principal, Service, WireRequest } from '../service.ts';
import { inputError } from './input-errors.ts';
import { refuse } from './signature-errors.ts';

/** Who calls in process unless the caller says: the account itself. */
export const ACCOUNT_PRINCIPAL: Principal = {
  arn: ACCOUNT_ROOT_ARN,
  roleArn: null,
  userId: ACCOUNT_ID,
  accessKeyId: '',
};

export interface OperationContext {
  principal: Principal;
  requestId: string;
  /** `Host` header, for addresses that an answer contains; `localhost` in process. */
  host: string;
  /** Aborted when the client hung up before it was answered. */
  signal: AbortSignal;
  /** Seen as TLS; always in process. */
  secure: boolean;
}

/** One thing that a caller must be allowed: an operation may need several, on several resources. */
export interface Asked {
  /** The operation's own unless given. */
  action?: string;
  /** ARN, or `*` where the action has none. */
  resource: string;
  /** Condition keys of this request beyond those that every request has. */
  context?: RequestContext;
  /** The resource's own policy. */
  resourcePolicy?: PolicyDocument | null;
  rule?: Rule;
}

export type JsonObject = Record<string, unknown>;

type MaybeLater<T> = T | Promise<T>;

/** One operation with its input still unknown; made by `operation`, which ties the schema to `run`. */
export interface JsonOperation {
  /** The IAM action that allows it, e.g. `kms:Decrypt`. */
  action: string;
  /** Throws AwsError for input that the operation does not take. */
  prepare(
    input: unknown,
    context: OperationContext,
  ): {
    /** What the caller must be allowed. Throws AwsError, e.g. when the resource is not there. */
    asks(): MaybeLater<readonly Asked[]>;
    run(): MaybeLater<JsonObject>;
  };
}

export interface JsonServiceOptions<Name extends string> {
  /** Before the dot of `X-Amz-Target`, e.g. `TrentService`. */
  targetPrefix: string;
  version: '1.0' | '1.1';
  operations: Record<Name, JsonOperation>;
  judge: Judge;
  /** Words refusals as this service does. */
  refusal: Refusal;
  /** Further headers of an error, e.g. the old code of a service that once spoke the query protocol. */
  errorHeaders?: (error: AwsError) => Record<string, string>;
}

export interface JsonService extends Service {
  /** The operation without the wire: same input, same checks, same errors (AwsError). */
  call(operation: string, input: JsonObject, principal?: Principal): Promise<JsonObject>;
}

/**
 * @param schema strict where a member that is not known must not be ignored: it answers 501 then
 * @param asks the resources that it concerns; `*` unless given
 */
export function operation<Schema extends z.ZodType>(
  action: string,
  schema: Schema,
  run: (input: z.output<Schema>, context: OperationContext) => MaybeLater<JsonObject>,
  asks: (input: z.output<Schema>) => MaybeLater<readonly Asked[]> = () => WITHOUT_RESOURCE,
): JsonOperation {
  return {
    action,
    prepare(input, context) {
      const parsed = schema.safeParse(input, { reportInput: true });
      if (!parsed.success) throw inputError(parsed.error);
      return { asks: () => asks(parsed.data), run: () => run(parsed.data, context) };
    },
  };
}

const WITHOUT_RESOURCE: readonly Asked[] = [{ resource: '*' }];

/** @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function createJsonService<Name extends string>(options: JsonServiceOptions<Name>): JsonService {
  const { targetPrefix, version, judge, refusal, errorHeaders = () => ({}) } = options;
  const operations = new Map<string, JsonOperation>(Object.entries(options.operations));
  const contentType = `application/x-amz-json-${version}`;

  /** Every call passes here, from the wire and in process: the one place where the caller is judged. */
  async function invoke(name: string, input: JsonObject, context: OperationContext): Promise<JsonObject> {
    const found = operations.get(name);
    if (!found) throw new AwsError(501, 'UnknownOperationException', `The sandbox does not implement ${targetPrefix}.${name}.`);
    const { asks, run } = found.prepare(input, context);
    const transport = { 'aws:SecureTransport': String(context.secure) };
    for (const { action = found.action, resource, context: own, resourcePolicy = null, rule } of await asks()) {
      const request = { principal: context.principal, action, resource, context: { ...transport, ...own }, resourcePolicy };
      judge.require(request, refusal, rule);
    }
    return run();
  }

  return {
    async handle(request, response) {
      try {
        const name = operationName(request, targetPrefix);
        const input = parseObject(await readAll(request));
        const output = await invoke(name, input, contextOf(request, response));
        send(response, 200, contentType, {}, output);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const headers = { 'x-amzn-errortype': error.code, ...errorHeaders(error) };
        const { code: __type, message, detail } = error;
        send(response, error.status, contentType, headers, { __type, message, ...detail });
      }
    },
    call: (name, input, principal = ACCOUNT_PRINCIPAL) =>
      invoke(name, input, { principal, requestId: randomUUID(), host: 'localhost', signal: new AbortController().signal, secure: true }),
  };
}

function operationName(request: WireRequest, targetPrefix: string): string {
  const target = String(request.headers['x-amz-target'] ?? '');
  const [prefix, name, more] = target.split('.');
  if (request.method !== 'POST' || prefix !== targetPrefix || !name || more !== undefined) {
    throw new AwsError(400, 'UnknownOperationException', `X-Amz-Target must name an operation of ${targetPrefix}.`);
  }
  return name;
}

function contextOf(request: WireRequest, response: ServerResponse): OperationContext {
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort();
  });
  if (request.principal === null) throw refuse('json', { kind: 'missing' });
  const { principal } = request;
  const { requestId, secure } = request;
  return { principal, requestId, host: request.headers.host ?? 'localhost', signal: abort.signal, secure };
}

async function readAll(request: WireRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Members that are `null` are members that were not given. */
function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    // The parser's own message quotes the input, which may hold a secret.
    throw new AwsError(400, 'SerializationException', 'The request body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AwsError(400, 'SerializationException', 'Start of structure or map found where not expected.');
  }
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

function send(response: ServerResponse, status: number, contentType: string, headers: Record<string, string>, output: JsonObject): void {
  if (response.destroyed) return;
  const body = JSON.stringify(output);
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
