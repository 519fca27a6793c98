/** What `download` does for a copy in transit: looks whether there is one, and asks for one. */
import type { S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type TransitOrder, transitOrderBody } from './events/index.ts';
import { createRecent } from './recent.ts';
import { findCopy, isUsable, transitName } from './transit-copy.ts';
import { translateAwsError } from './translate-aws-error.ts';

/**
 * Copies are made within one function's life, of which 240 seconds are for parts, 16 at once: so much comes of 17 MiB a second for each.
 * Whoever wants more takes ranges.
 */
export const MOST_TRANSIT_BYTES = 64 * 1024 ** 3;

/** Until then whoever asks again is not passed on: the order is on its way. Each environment of the function knows its own orders. */
const ASKED_SECONDS = 60;
const MOST_REMEMBERED = 10_000;

const SHORTEST_WAIT_SECONDS = 2;
const LONGEST_WAIT_SECONDS = 30;
const BYTES_A_SECOND = 2 * 1024 ** 3;

/** Both throw SealdropError: `access-denied` or what heals. */
export interface TransitRequests {
  /** @returns where a copy is that can be handed out; `null`: nowhere yet */
  find(order: TransitOrder): Promise<{ bucket: string; key: string } | null>;
  /** Sends the order, unless the same copy was ordered a moment ago. */
  ask(order: TransitOrder): Promise<void>;
}

export function createTransitRequests(deps: {
  s3: S3Client;
  sqs: SQSClient;
  transitBucket: string;
  transitBucketOwner: string;
  queueUrl: string;
  /** Milliseconds; for tests. */
  now?: () => number;
}): TransitRequests {
  const { sqs, transitBucket, queueUrl, now = Date.now } = deps;
  const asked = createRecent<number>(MOST_REMEMBERED);
  return {
    async find(order) {
      const key = transitName(order);
      const copy = await findCopy(deps, key);
      return copy !== null && isUsable(copy, now()) ? { bucket: transitBucket, key } : null;
    },
    async ask(order) {
      const name = transitName(order);
      const before = asked.get(name);
      if (before !== undefined && before + ASKED_SECONDS * 1000 > now()) return;
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: transitOrderBody(order) })).catch((error: unknown) => {
        throw translateAwsError(error, {}, order);
      });
      asked.put(name, now());
    },
  };
}

/** When to ask again. */
export function retryAfterSeconds(size: number): number {
  return Math.min(LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS + Math.floor(size / BYTES_A_SECOND));
}
