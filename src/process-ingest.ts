/** What becomes of ingest messages. */
import type { Continuations } from './continuations.ts';
import { type EncryptDeps, type EncryptOutcome, encryptObjects } from './encrypt-objects.ts';
import { asSealdropError } from './errors.ts';
import type { EventMessage, ObjectRef } from './events/index.ts';
import { countFailure, type Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import { type Attempt, describeError, type Failure, type SettleDeps, type SettledMessage, settleMessages } from './settle-messages.ts';

/**
 * By delivery, for what waits for another event of its key: soon, since most such events come within seconds; in sum longer than a
 * dead function's claim counts.
 */
const WAITS_SECONDS = [4, 15, 90, 900];

export interface ProcessDeps extends EncryptDeps, SettleDeps {
  continuations: Continuations;
  log: Log;
}

/** Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict. */
export function processIngest(messages: EventMessage<ObjectRef>[], deps: ProcessDeps): Promise<SettledMessage<ObjectRef>[]> {
  return settleMessages(messages, deps, async (attempts) => {
    const outcomes = await encryptObjects(
      attempts.map(({ item, delivery, lastTry }) => ({ ref: item, delivery, lastTry })),
      deps,
    );
    return Promise.all(
      outcomes.map((outcome, index) => {
        logOutcome(outcome, deps.log);
        countOutcome(outcome, deps.metrics);
        return failureOf(outcome, attempts[index], deps);
      }),
    );
  });
}

/** `null`: the message has done its part. */
async function failureOf(outcome: EncryptOutcome, attempt: Attempt<ObjectRef> | undefined, deps: ProcessDeps): Promise<Failure | null> {
  const delivery = attempt?.delivery ?? 1;
  switch (outcome.status) {
    case 'encrypted':
      return null;
    case 'skipped':
      return outcome.displaced === null ? null : sent(deps.continuations.again(outcome.displaced), outcome.displaced);
    case 'unfinished':
      // The old message goes only when the new one is there; should both live, the second finds the first one's parts.
      return sent(deps.continuations.goOn(outcome.ref, outcome.progress), outcome.ref);
    case 'waiting':
      // As long as the newer one makes progress; without any its claim ends.
      if (attempt?.lastTry) return sent(deps.continuations.postpone(outcome.ref), outcome.ref);
      return { error: outcome.error, ...waitAt(delivery) };
    case 'failed':
      return { error: outcome.error, ...(outcome.error.code === 'source-changed' ? waitAt(delivery) : {}) };
    default:
      return outcome satisfies never;
  }
}

function sent(sending: Promise<void>, ref: ObjectRef): Promise<Failure | null> {
  return sending.then(
    () => null,
    (error: unknown) => ({ error: asSealdropError(error, ref) }),
  );
}

function waitAt(delivery: number): { retryAfterSeconds?: number } {
  const seconds = WAITS_SECONDS[delivery - 1];
  return seconds === undefined ? {} : { retryAfterSeconds: seconds };
}

/** Outcomes come once their records are written: until then nothing counts as encrypted. */
function countOutcome(outcome: EncryptOutcome, metrics: Metrics): void {
  switch (outcome.status) {
    case 'encrypted': {
      const { mode } = outcome.encryption;
      metrics.add('ObjectsEncrypted', 1, { mode });
      metrics.add('BytesEncrypted', outcome.ref.size, { mode });
      // S3's clock and ours may differ.
      metrics.add('EncryptLatency', Math.max(0, Date.now() - Date.parse(outcome.ref.eventTime)));
      break;
    }
    case 'skipped':
      metrics.add('EventsSkipped', 1);
      break;
    case 'unfinished':
      metrics.add('CopiesContinued', 1);
      break;
    case 'waiting':
      break;
    case 'failed':
      if (outcome.encrypted !== undefined) countOutcome(outcome.encrypted, metrics);
      countFailure(metrics, outcome.error, outcome.mode);
      break;
    default:
      outcome satisfies never;
  }
}

function logOutcome(outcome: EncryptOutcome, log: Log): void {
  const { bucket, key, versionId, sequencer, correlationId, size } = outcome.ref;
  const object = { bucket, key, versionId, sequencer, correlationId, size };
  switch (outcome.status) {
    case 'encrypted':
      log.info('encrypted', { ...object, encryption: outcome.encryption, durationMs: Math.round(outcome.durationMs) });
      break;
    case 'skipped':
      log.info('skipped', { ...object, reason: outcome.reason });
      break;
    case 'unfinished':
      log.info('to be continued', { ...object, ...outcome.progress });
      break;
    case 'waiting':
      log.info('waiting', { ...object, ...describeError(outcome.error) });
      break;
    case 'failed':
      if (outcome.encrypted !== undefined) logOutcome(outcome.encrypted, log);
      log.warn(outcome.encrypted === undefined ? 'not encrypted' : 'source not deleted', { ...object, ...describeError(outcome.error) });
      break;
    default:
      outcome satisfies never;
  }
}
