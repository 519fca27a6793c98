/**
 * Lambda on the wire (REST-JSON), so that the AWS CLI and SDKs can invoke what is deployed:
 * Invoke, GetFunction, GetFunctionConfiguration, ListFunctions. Anything else answers 501.
 */
import type { ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { AwsError } from '../aws-error.ts';
import type { Judge } from '../iam/judge.ts';
import { lambdaRefusal } from '../iam/refusal.ts';
import type { Service, WireRequest } from '../service.ts';
import { refuse } from '../wire/signature-errors.ts';
import { functionArn, functionName } from './function-name.ts';
import type { Functions, LambdaFunction } from './functions.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const MAX_REQUEST_PAYLOAD = 6 * 1024 * 1024;

const ROUTES: Record<Operation, Route> = {
  Invoke: { method: 'POST', path: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/, action: 'lambda:InvokeFunction', run: invoke },
  GetFunction: { method: 'GET', path: /^\/2015-03-31\/functions\/([^/]+)$/, action: 'lambda:GetFunction', run: getFunction },
  GetFunctionConfiguration: {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
    action: 'lambda:GetFunctionConfiguration',
    run: async ({ functions, name }) => json(200, describe(functions.get(name))),
  },
  ListFunctions: {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/?$/,
    action: 'lambda:ListFunctions',
    run: async ({ functions }) => json(200, { Functions: functions.list().map(describe), NextMarker: null }),
  },
};

type Operation = 'Invoke' | 'GetFunction' | 'GetFunctionConfiguration' | 'ListFunctions';

interface Call {
  functions: Functions;
  request: WireRequest;
  /** Function name or ARN from the path. */
  name: string;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

interface Route {
  method: string;
  path: RegExp;
  /** What a policy must allow. */
  action: string;
  run(call: Call): Promise<Answer>;
}

export function createLambdaService(functions: Functions, judge: Judge): Service {
  return {
    async handle(request, response) {
      send(response, request, await answer(functions, judge, request));
    },
  };
}

async function answer(functions: Functions, judge: Judge, request: WireRequest): Promise<Answer> {
  try {
    for (const route of Object.values(ROUTES)) {
      const match = route.method === request.method ? route.path.exec(request.rawPath) : null;
      if (match === null) continue;
      const name = decodeURIComponent(match[1] ?? '');
      requireAllowed(functions, judge, request, route.action, name);
      return await route.run({ functions, request, name });
    }
    throw new AwsError(501, 'NotImplemented', `The sandbox's Lambda does not have ${request.method} ${request.rawPath}`);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const failure = json(error.status, { ...error.detail, Message: error.message, message: error.message });
    return { ...failure, headers: { ...failure.headers, 'x-amzn-errortype': error.code } };
  }
}

/** A function that is not there is judged by its name. */
function requireAllowed(functions: Functions, judge: Judge, { principal, secure }: WireRequest, action: string, name: string): void {
  if (principal === null) throw refuse('rest-json', { kind: 'missing' });
  const resource = name === '' ? '*' : functionArn(functionName(name));
  const context = { 'aws:SecureTransport': String(secure) };
  judge.require({ principal, action, resource, context, resourcePolicy: functions.policyOf(resource) }, lambdaRefusal);
}

async function invoke({ functions, request, name }: Call): Promise<Answer> {
  const lambda = functions.get(name);
  if (request.query.has('Qualifier') && request.query.get('Qualifier') !== '$LATEST') {
    throw new AwsError(501, 'NotImplemented', "The sandbox's Lambda has no versions and aliases but $LATEST");
  }
  const event = await readEvent(request);
  const headers = { 'x-amz-executed-version': '$LATEST' };
  switch (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
    case 'DryRun':
      return { status: 204, headers, body: Buffer.alloc(0) };
    case 'Event':
      void functions.invoke(lambda.name, event);
      return { status: 202, headers: {}, body: Buffer.alloc(0) };
    case 'RequestResponse': {
      const { functionError, payload } = await functions.invoke(lambda.name, event);
      const error = functionError === null ? {} : { 'x-amz-function-error': functionError };
      return { status: 200, headers: { ...headers, ...error, 'content-type': 'application/json' }, body: payload };
    }
    default:
      throw new AwsError(400, 'InvalidParameterValueException', 'Invocation type must be RequestResponse, Event or DryRun', {
        Type: 'User',
      });
  }
}

async function readEvent(request: WireRequest): Promise<string> {
  if ((request.contentLength ?? 0) > MAX_REQUEST_PAYLOAD) throw tooLarge();
  const body = await buffer(request.body);
  if (body.length > MAX_REQUEST_PAYLOAD) throw tooLarge();
  const text = body.length === 0 ? '{}' : body.toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'no JSON';
    throw new AwsError(400, 'InvalidRequestContentException', `Could not parse request body into json: ${why}`, { Type: 'User' });
  }
}

function tooLarge(): AwsError {
  return new AwsError(
    413,
    'RequestTooLargeException',
    `Request must be smaller than ${MAX_REQUEST_PAYLOAD} bytes for the InvokeFunction operation`,
    { Type: 'User' },
  );
}

async function getFunction({ functions, name }: Call): Promise<Answer> {
  return json(200, { Configuration: describe(functions.get(name)), Code: { RepositoryType: 'S3' }, Tags: {} });
}

function describe(lambda: LambdaFunction): Record<string, unknown> {
  return {
    FunctionName: lambda.name,
    FunctionArn: lambda.arn,
    Description: lambda.description,
    Runtime: lambda.runtime,
    Role: lambda.roleArn,
    Handler: lambda.handler,
    CodeSize: lambda.codeSize,
    CodeSha256: lambda.codeSha256,
    Timeout: lambda.timeoutSeconds,
    MemorySize: lambda.memorySize,
    LastModified: lambda.lastModified,
    Version: '$LATEST',
    PackageType: 'Zip',
    Architectures: lambda.architectures,
    Environment: { Variables: lambda.variables },
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}

function json(status: number, body: Record<string, unknown>): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

function send(response: ServerResponse, request: WireRequest, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'x-amzn-requestid': request.requestId, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
