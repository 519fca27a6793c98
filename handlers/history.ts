/** GET /audit?key&from&to&limit&cursor → what happened to an object. */
import middy from '@middy/core';
import { createRangeReads } from '../src/audit/range-reads.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { toJson } from '../src/http/problem.ts';
import { parseApiRequest, requestedKey, wholeNumber } from '../src/http/request.ts';
import { createMetrics } from '../src/metrics.ts';
import { type HistoryDeps, objectHistory } from '../src/object-history.ts';
import { createLog } from '../src/observability.ts';
import { problemJson } from '../src/problem-json.ts';
import * as runtime from '../src/runtime.ts';
import { writeMetrics } from '../src/write-metrics.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export const createHandler = (deps: () => HistoryDeps) =>
  middy()
    .use(problemJson(() => deps().log))
    .use(writeMetrics(() => deps().metrics))
    .handler(async (event: unknown) => {
      const request = parseApiRequest(event, ['key', 'from', 'to', 'limit', 'cursor']);
      const { query, caller, requestId } = request;
      const { from, to, cursor } = query;
      const limit = wholeNumber('limit', query.limit, DEFAULT_LIMIT, MAX_LIMIT);
      return toJson(await objectHistory({ key: requestedKey(request), from, to, cursor, limit, caller, requestId }, deps()));
    });

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment('TARGET_BUCKET', 'AUDIT_TABLE', 'STACK_NAME');
    const dynamodb = runtime.dynamodb();
    return {
      targetBucket: env.TARGET_BUCKET,
      access: runtime.policy().access,
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      rangeReads: createRangeReads(dynamodb, env.AUDIT_TABLE),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('history'),
    };
  }),
);
