/** A middy middleware: whatever a handler throws is answered as problem+json, and logged with its cause. */
import type { MiddlewareObj } from '@middy/core';
import { asSealdropError } from './errors.ts';
import { type HttpResponse, toProblem } from './http/problem.ts';
import type { Log } from './observability.ts';

interface Identified {
  requestContext?: { extendedRequestId?: string };
}

/** Below this the caller erred, and the audit trail has the refusals. */
const SERVER_ERROR = 500;

export function problemJson<Response>(log: () => Log): MiddlewareObj<unknown, HttpResponse | Response> {
  return {
    onError(request) {
      const { requestContext } = (request.event ?? {}) as Identified;
      const requestId = requestContext?.extendedRequestId ?? request.context.awsRequestId;
      const { code, message, status, nextStep } = asSealdropError(request.error);
      if (status >= SERVER_ERROR) log().error('not served', { code, cause: message, nextStep, correlationId: requestId });
      request.response = toProblem(request.error, requestId);
    },
  };
}
