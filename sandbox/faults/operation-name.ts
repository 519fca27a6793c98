/** What a request asks for, by the name that the SDK has for it. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AwsError } from '../aws-error.ts';
import { S3_LIMITS } from '../s3/limits.ts';
import { detect, locate } from '../s3/route.ts';
import type { WireRequest } from '../service.ts';
import type { Protocol } from '../wire/protocol.ts';

/** Of a request that no service would know. */
const UNKNOWN = 'Unknown';

/** The operation of a request in any protocol; `Unknown` when its service will refuse it. */
export async function operationName(protocol: Protocol, request: WireRequest): Promise<string> {
  switch (protocol) {
    case 'rest-xml':
      return s3Operation(request);
    case 'json':
      return String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? UNKNOWN;
    case 'query':
      return queryAction(request);
    case 'rest-json':
      return lambdaOperation(request);
    default:
      return protocol satisfies never;
  }
}

function s3Operation(request: WireRequest): string {
  try {
    return detect(request, locate(request, S3_LIMITS)).name;
  } catch (error) {
    if (error instanceof AwsError) return UNKNOWN;
    throw error;
  }
}

/** The form holds it, and the service will want to read the form as well. */
async function queryAction(request: WireRequest): Promise<string> {
  const form = await buffer(request.body);
  request.body = Readable.from([form], { objectMode: false });
  return new URLSearchParams(form.toString('utf8')).get('Action') ?? UNKNOWN;
}

function lambdaOperation({ method, rawPath }: WireRequest): string {
  if (method === 'POST') return rawPath.endsWith('/invocations') ? 'Invoke' : UNKNOWN;
  if (/\/functions\/?$/.test(rawPath)) return 'ListFunctions';
  return rawPath.endsWith('/configuration') ? 'GetFunctionConfiguration' : 'GetFunction';
}
