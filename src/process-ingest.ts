/** What becomes of ingest messages. */
import { type EncryptDeps, type EncryptOutcome, encryptObjects } from './encrypt-objects.ts';
import type { EventMessage, ObjectRef } from './events/index.ts';
import { countFailure, type Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import { describeError, type SettleDeps, type SettledMessage, settleMessages } from './settle-messages.ts';

export interface ProcessDeps extends EncryptDeps, SettleDeps {
  log: Log;
}

/** Results come in the order of the messages. Does not throw: what goes wrong is a message's verdict. */
export function processIngest(messages: EventMessage<ObjectRef>[], deps: ProcessDeps): Promise<SettledMessage<ObjectRef>[]> {
  return settleMessages(messages, deps, async (attempts) => {
    const outcomes = await encryptObjects(
      attempts.map(({ item, lastTry }) => ({ ref: item, lastTry })),
      deps,
    );
    return outcomes.map((outcome) => {
      logOutcome(outcome, deps.log);
      countOutcome(outcome, deps.metrics);
      return outcome.status === 'failed' ? { error: outcome.error } : null;
    });
  });
}

/** Outcomes come once their records are written: until then nothing counts as encrypted. */
function countOutcome(outcome: EncryptOutcome, metrics: Metrics): void {
  if (outcome.status === 'failed') {
    countFailure(metrics, outcome.error, outcome.mode);
    return;
  }
  const { mode } = outcome.encryption;
  metrics.add('ObjectsEncrypted', 1, { mode });
  metrics.add('BytesEncrypted', outcome.ref.size, { mode });
  // S3's clock and ours may differ.
  metrics.add('EncryptLatency', Math.max(0, Date.now() - Date.parse(outcome.ref.eventTime)));
}

function logOutcome(outcome: EncryptOutcome, log: Log): void {
  const { bucket, key, versionId, sequencer, correlationId, size } = outcome.ref;
  const object = { bucket, key, versionId, sequencer, correlationId, size };
  if (outcome.status === 'encrypted') {
    log.info('encrypted', { ...object, encryption: outcome.encryption, durationMs: Math.round(outcome.durationMs) });
  } else {
    log.warn('not encrypted', { ...object, ...describeError(outcome.error) });
  }
}
