/** GET /objects?prefix&delimiter&limit&cursor → a page of the target bucket. */
import middy from '@middy/core';
import { createAuditTrail } from '../src/audit/trail.ts';
import { toJson } from '../src/http/problem.ts';
import { parseApiRequest, possibleKey, wholeNumber } from '../src/http/request.ts';
import { type ListDeps, listObjects } from '../src/list-objects.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import { problemJson } from '../src/problem-json.ts';
import * as runtime from '../src/runtime.ts';
import { writeMetrics } from '../src/write-metrics.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const MAX_KEYS = 1000;

export const createHandler = (deps: () => ListDeps) =>
  middy()
    .use(problemJson(() => deps().log))
    .use(writeMetrics(() => deps().metrics))
    .handler(async (event: unknown) => {
      const { query, caller, requestId } = parseApiRequest(event, ['prefix', 'delimiter', 'limit', 'cursor']);
      const { delimiter, cursor } = query;
      const prefix = possibleKey('prefix', query.prefix ?? '');
      const limit = wholeNumber('limit', query.limit, MAX_KEYS, MAX_KEYS);
      return toJson(await listObjects({ prefix, delimiter, limit, cursor, caller, requestId }, deps()));
    });

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment('TARGET_BUCKET', 'TARGET_BUCKET_OWNER', 'AUDIT_TABLE', 'STACK_NAME');
    return {
      s3: runtime.s3(),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      access: runtime.policy().access,
      trail: createAuditTrail(runtime.dynamodb(), env.AUDIT_TABLE),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('list'),
    };
  }),
);
