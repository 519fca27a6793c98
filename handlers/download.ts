/** GET|HEAD /objects/{key+} and /object?key= → the decrypted object. */
import type { Readable } from 'node:stream';
import middy from '@middy/core';
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { objectHeaders } from '../src/http/object-headers.ts';
import { parseApiRequest, requestedKey } from '../src/http/request.ts';
import { createCustomerKeys } from '../src/keys/customer-keys.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import { type OpenDeps, openObject } from '../src/open-object.ts';
import { problemJson } from '../src/problem-json.ts';
import * as runtime from '../src/runtime.ts';
import { writeMetrics } from '../src/write-metrics.ts';

/** What Lambda streams of one response, "200 MB" read the smaller way: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html */
const MAX_STREAMED_BYTES = 200_000_000;

interface StreamedResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: Readable | string;
}

export const createHandler = (deps: () => OpenDeps) =>
  middy<unknown, StreamedResponse>({ executionMode: executionModeStreamifyResponse })
    .use(problemJson(() => deps().log))
    .use(writeMetrics(() => deps().metrics))
    .handler(async (event) => {
      const request = parseApiRequest(event, ['key']);
      const { caller, requestId } = request;
      const purpose = request.method === 'HEAD' ? 'inspect' : 'read';
      const opened = await openObject({ key: requestedKey(request), caller, purpose, requestId }, deps());
      return { statusCode: 200, headers: objectHeaders(opened), body: opened.body ?? '' };
    });

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment('TARGET_BUCKET', 'TARGET_BUCKET_OWNER', 'AUDIT_TABLE', 'CUSTOMER_KEY_SECRET', 'STACK_NAME');
    const dynamodb = runtime.dynamodb();
    return {
      s3: runtime.s3(),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      access: runtime.policy().access,
      records: createObjectRecords(dynamodb, env.AUDIT_TABLE),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      customerKeys: createCustomerKeys({ secretsManager: runtime.secretsManager(), secretId: env.CUSTOMER_KEY_SECRET }),
      maxBodyBytes: MAX_STREAMED_BYTES,
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('download'),
    };
  }),
);
