/** Copies for downloads that S3 cannot serve by itself: made when they are asked for, deleted a quarter of an hour later. */
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { AuditEvent } from './audit/event.ts';
import type { AuditTrail } from './audit/trail.ts';
import { KMS_ERRORS } from './copy/translate-copy-error.ts';
import { describeEncryption, type ResolvedEncryption } from './encryption/index.ts';
import { asSealdropError } from './errors.ts';
import { type EventMessage, type TransitDeletion, type TransitMessage, type TransitOrder, transitDeletionBody } from './events/index.ts';
import { countFailure } from './metrics.ts';
import { type Attempt, describeError, type Failure, type SettleDeps, type SettledMessage, settleMessages } from './settle-messages.ts';
import { findCopy, isUsable, KEPT_SECONDS, type TransitCopy, transitName } from './transit-copy.ts';
import { type MakeCopyDeps, makeCopy } from './transit-make-copy.ts';
import { statusOf, translateAwsError } from './translate-aws-error.ts';

const ACTOR = 'function/transit';

const LAST_MS_OF_SECOND = 999;

/** Whoever finds another at the same copy looks again, in sum for longer than a function lives. */
const WAIT_SECONDS = 90;

export interface TransitDeps extends MakeCopyDeps, SettleDeps {
  trail: AuditTrail;
  encryption: ResolvedEncryption<'sse-kms'>;
}

/** Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict. */
export function processTransit(messages: EventMessage<TransitMessage>[], deps: TransitDeps): Promise<SettledMessage<TransitMessage>[]> {
  return settleMessages(messages, deps, (attempts) => Promise.all(attempts.map((attempt) => attend(attempt, deps))));
}

/** `null`: the message has done its part. */
async function attend({ item, delivery, lastTry }: Attempt<TransitMessage>, deps: TransitDeps): Promise<Failure | null> {
  const { bucket, key, versionId, correlationId } = item;
  const named = { bucket, key, versionId, correlationId };
  try {
    const done = item.kind === 'transit' ? await copy(item, delivery, deps) : await remove(item, delivery, deps);
    deps.log.info(done, named);
    return null;
  } catch (error) {
    const failure = asSealdropError(error, { bucket, key, versionId });
    countFailure(deps.metrics, failure);
    deps.log.warn(item.kind === 'transit' ? 'not copied' : 'not deleted', { ...named, ...describeError(failure) });
    if (failure.retryable && !lastTry)
      return { error: failure, ...(failure.code === 'conflict' ? { retryAfterSeconds: WAIT_SECONDS } : {}) };
    return { error: await recordFailure(item, failure, lastTry, deps) };
  }
}

async function copy(order: TransitOrder, delivery: number, deps: TransitDeps): Promise<string> {
  const name = transitName(order);
  const found = await findCopy(deps, name);
  if (found !== null && isUsable(found, deps.now?.() ?? Date.now())) {
    // Whoever made it may not have lived to say so.
    if (delivery > 1) await finish(order, name, found, deps);
    return 'copied already';
  }
  const made = await makeCopy(order, name, found, deps);
  if (made === null) return 'nothing to copy';
  await finish(order, name, made, deps);
  return 'copied';
}

/** Its end is sure before anything is told. Repeated, both come to the same. */
async function finish(order: TransitOrder, name: string, made: TransitCopy, deps: TransitDeps): Promise<void> {
  const { bucket, key, versionId, correlationId, size } = order;
  const deletion: TransitDeletion = { kind: 'transit-delete', bucket, key, versionId, correlationId, copy: { name, etag: made.etag } };
  const send = new SendMessageCommand({
    QueueUrl: deps.queueUrl,
    MessageBody: transitDeletionBody(deletion),
    DelaySeconds: KEPT_SECONDS,
  });
  await deps.sqs.send(send).catch((error: unknown) => {
    throw translateAwsError(error, {}, order);
  });
  await deps.trail.append([
    {
      ...eventOf(order),
      action: 'TransitCopied',
      // By S3 alone, so that whoever tells of this copy tells the same. S3 has whole seconds; at the end of this one it had been asked for.
      at: new Date(made.lastModified.getTime() + LAST_MS_OF_SECOND).toISOString(),
      uniqueId: made.etag,
      size,
      encryption: describeEncryption(deps.encryption),
    },
  ]);
}

/** Only the copy that the message means. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html */
async function remove(deletion: TransitDeletion, delivery: number, deps: TransitDeps): Promise<string> {
  const { name, etag } = deletion.copy;
  const command = new DeleteObjectCommand({
    Bucket: deps.transitBucket,
    ExpectedBucketOwner: deps.transitBucketOwner,
    Key: name,
    IfMatch: etag,
  });
  const refused = await deps.s3.send(command, deps.signal && { abortSignal: deps.signal }).then(
    () => null,
    (error: unknown) => {
      const status = statusOf(error);
      if (status === 404 || status === 412) return status;
      throw translateAwsError(
        error,
        { ...KMS_ERRORS, ConditionalRequestConflict: ['conflict', 'the copy is being overwritten'] },
        deletion,
      );
    },
  );
  if (refused === 412) return 'another copy took its place';
  // An earlier delivery may have deleted it and not lived to say so.
  if (refused === 404 && delivery === 1) return 'gone already';
  await deps.trail.append([{ ...eventOf(deletion), action: 'TransitDeleted', at: new Date().toISOString(), uniqueId: etag }]);
  return 'deleted';
}

/** @returns why the message is given up, or that it cannot be yet */
async function recordFailure(item: TransitMessage, failure: ReturnType<typeof asSealdropError>, lastTry: boolean, deps: TransitDeps) {
  const { code, message } = failure;
  const at = item.kind === 'transit' ? item.requestedAt : new Date().toISOString();
  const event = { ...eventOf(item), action: 'TransitFailed', at, uniqueId: item.correlationId, outcome: 'failure', code } as const;
  try {
    await deps.trail.append([{ ...event, detail: message }]);
  } catch (error) {
    const { bucket, key, correlationId } = item;
    deps.log.error('event could not be written', { bucket, key, correlationId, cause: asSealdropError(error).message });
    if (!lastTry) return asSealdropError(error);
  }
  return failure;
}

function eventOf({ bucket, key, versionId, correlationId }: TransitMessage): Omit<AuditEvent, 'action' | 'at' | 'uniqueId'> {
  return { outcome: 'success', bucket, key, versionId, actor: ACTOR, recordedAt: new Date().toISOString(), correlationId };
}
