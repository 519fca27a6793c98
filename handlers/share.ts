/** POST /links → a link to one version of an object; DELETE /links/ID → it opens nothing any more. */
import middy from '@middy/core';
import { createLinks } from '../src/audit/links.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { linkRequest } from '../src/http/link-request.ts';
import { toCreated, toNothing } from '../src/http/problem.ts';
import { parseApiRequest } from '../src/http/request.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import { problemJson } from '../src/problem-json.ts';
import * as runtime from '../src/runtime.ts';
import { revokeLink, type ShareDeps, shareObject } from '../src/share-object.ts';
import { writeMetrics } from '../src/write-metrics.ts';

export const createHandler = (deps: () => ShareDeps) =>
  middy()
    .use(problemJson(() => deps().log))
    .use(writeMetrics(() => deps().metrics))
    .handler(async (event: unknown) => {
      const request = parseApiRequest(event, []);
      const { caller, requestId, body, pathParameters } = request;
      if (request.method === 'POST') return toCreated(await shareObject({ ...linkRequest(body), caller, requestId }, deps()));
      await revokeLink({ id: pathParameters.link ?? '', caller, requestId }, deps());
      return toNothing();
    });

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment('TARGET_BUCKET', 'TARGET_BUCKET_OWNER', 'AUDIT_TABLE', 'STACK_NAME');
    const dynamodb = runtime.dynamodb();
    return {
      s3: runtime.s3(),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      access: runtime.policy().access,
      links: createLinks(dynamodb, env.AUDIT_TABLE),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('share'),
    };
  }),
);
