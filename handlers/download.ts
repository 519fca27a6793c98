/** GET|HEAD /objects/{key+}, /object?key= and /links/{link} → the decrypted object, a range of it, or where it can be had. */
import middy from '@middy/core';
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse';
import * as z from 'zod/mini';
import { answerOpened, type ObjectAnswer } from '../src/answer-opened.ts';
import { createLinks } from '../src/audit/links.ts';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { createRangeReads } from '../src/audit/range-reads.ts';
import { createAuditTrail } from '../src/audit/trail.ts';
import { positiveInteger } from '../src/config.ts';
import { createOpening } from '../src/envelope-opening.ts';
import { MAX_STREAMED_BYTES } from '../src/http/delivery.ts';
import { OBJECT_QUERY, objectRequest, objectWish, WISH_QUERY } from '../src/http/object-request.ts';
import { parseApiRequest, parseOpenRequest } from '../src/http/request.ts';
import { createOpenedWith } from '../src/keys/opened-with.ts';
import { createCustomerKeys, createWrappingKeys } from '../src/keys/secret-keys.ts';
import { createMetrics } from '../src/metrics.ts';
import { createLog } from '../src/observability.ts';
import { type OpenLinkDeps, openLink } from '../src/open-link.ts';
import { openObject } from '../src/open-object.ts';
import { usesTransit } from '../src/policy/downloads.ts';
import { openingKeyArns } from '../src/policy/keys.ts';
import { createPresign } from '../src/presigned-url.ts';
import { problemJson } from '../src/problem-json.ts';
import * as runtime from '../src/runtime.ts';
import { createTransitRequests } from '../src/transit-requests.ts';
import { writeMetrics } from '../src/write-metrics.ts';

export const createHandler = (deps: () => OpenLinkDeps) =>
  middy<unknown, ObjectAnswer>({ executionMode: executionModeStreamifyResponse })
    .use(problemJson(() => deps().log))
    .use(writeMetrics(() => deps().metrics))
    .handler(async (event) => {
      if (isLink(event)) return answerLink(event, deps());
      const request = parseApiRequest(event, OBJECT_QUERY);
      const { caller, requestId } = request;
      const opened = await openObject({ ...objectRequest(request), caller, requestId }, deps());
      return answerOpened(opened, requestId);
    });

/** The one route that asks nobody who they are: whoever has a link may use it. */
const linkEvent = z.object({ resource: z.literal('/links/{link}') });

const isLink = (event: unknown) => linkEvent.safeParse(event).success;

async function answerLink(event: unknown, deps: OpenLinkDeps): Promise<ObjectAnswer> {
  const request = parseOpenRequest(event, WISH_QUERY);
  const { requestId, sourceIp, pathParameters } = request;
  const wish = (key: string) => objectWish(request, key);
  return answerOpened(await openLink({ token: pathParameters.link ?? '', wish, requestId, sourceIp }, deps), requestId);
}

export const handler = createHandler(
  runtime.lazily(() => {
    const env = runtime.environment(
      'TARGET_BUCKET',
      'TARGET_BUCKET_OWNER',
      'AUDIT_TABLE',
      'CUSTOMER_KEY_SECRET',
      'KMS_KEY_ARN',
      'REDIRECT_ABOVE_BYTES',
      'STACK_NAME',
    );
    const policy = runtime.policy();
    const transit = usesTransit(policy)
      ? runtime.environment('TRANSIT_BUCKET', 'TRANSIT_BUCKET_OWNER', 'TRANSIT_QUEUE_URL', 'MAX_STREAMED_BYTES')
      : null;
    const dynamodb = runtime.dynamodb();
    const s3 = runtime.s3();
    const secretsManager = runtime.secretsManager();
    const wrappingKeySecret = runtime.optionalEnvironment('WRAPPING_KEY_SECRET');
    return {
      s3,
      presign: createPresign(s3),
      transit:
        transit &&
        createTransitRequests({
          s3,
          sqs: runtime.sqs(),
          transitBucket: transit.TRANSIT_BUCKET,
          transitBucketOwner: transit.TRANSIT_BUCKET_OWNER,
          queueUrl: transit.TRANSIT_QUEUE_URL,
        }),
      targetBucket: env.TARGET_BUCKET,
      targetBucketOwner: env.TARGET_BUCKET_OWNER,
      policy,
      records: createObjectRecords(dynamodb, env.AUDIT_TABLE),
      trail: createAuditTrail(dynamodb, env.AUDIT_TABLE),
      rangeReads: createRangeReads(dynamodb, env.AUDIT_TABLE),
      links: createLinks(dynamodb, env.AUDIT_TABLE),
      customerKeys: createCustomerKeys({ secretsManager, secretId: env.CUSTOMER_KEY_SECRET }),
      opening: createOpening({
        kms: runtime.kms(),
        kmsKeyArns: [env.KMS_KEY_ARN, ...openingKeyArns(policy)],
        ...(wrappingKeySecret === undefined ? {} : { wrappingKeys: createWrappingKeys({ secretsManager, secretId: wrappingKeySecret }) }),
      }),
      openedWith: createOpenedWith(),
      limits: {
        maxStreamedBytes: transit === null ? MAX_STREAMED_BYTES : positiveInteger('MAX_STREAMED_BYTES', transit.MAX_STREAMED_BYTES),
        redirectAboveBytes: positiveInteger('REDIRECT_ABOVE_BYTES', env.REDIRECT_ABOVE_BYTES),
      },
      metrics: createMetrics({ stack: env.STACK_NAME, write: runtime.print }),
      log: createLog('download'),
    };
  }),
);
