/** A middy middleware: an HTTP function's figures are written once a request, our own failures among them. */
import type { MiddlewareObj } from '@middy/core';
import { asSealdropError } from './errors.ts';
import type { HttpResponse } from './http/problem.ts';
import { countFailure, type Metrics } from './metrics.ts';

/** Below this the caller erred. */
const SERVER_ERROR = 500;

export function writeMetrics<Response>(metrics: () => Metrics): MiddlewareObj<unknown, HttpResponse | Response> {
  return {
    after: () => metrics().flush(),
    onError({ error }) {
      const failure = asSealdropError(error);
      if (failure.status >= SERVER_ERROR) countFailure(metrics(), failure);
      metrics().flush();
    },
  };
}
