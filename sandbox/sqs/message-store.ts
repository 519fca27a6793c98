/** Messages: visibility, counts and redrive. Bodies and their attributes are sealed at rest, as SSE-SQS does. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { openSealer } from '../kms/root-key.ts';
import type { State } from '../state.ts';
import { numberOf, redrivePolicyOf } from './attributes.ts';
import { invalidParameter, invalidReceiptHandle, messageNotInflight } from './errors.ts';
import type { MessageAttributes } from './message-attributes.ts';
import type { Queue, QueueStore } from './queue-store.ts';

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html */
export const MAX_VISIBILITY_SECONDS = 43_200;

export interface OutgoingMessage {
  body: string;
  attributes: MessageAttributes;
  senderId: string;
  delaySeconds: number;
}

export interface ReceivedMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: MessageAttributes;
  senderId: string;
  sentMs: number;
  receiveCount: number;
  firstReceiveMs: number;
  /** The queue it was in before it became a dead letter. */
  sourceArn: string | null;
}

export interface MessageCounts {
  visible: number;
  notVisible: number;
  delayed: number;
}

export interface MessageStore {
  /** @returns the message id */
  send(queue: Queue, message: OutgoingMessage): string;
  /** Moves what was received too often to the dead-letter queue. @returns the messages and the queue that got dead letters */
  receive(queue: Queue, max: number, visibilitySeconds: number): { messages: ReceivedMessage[]; redrivenTo: Queue | null };
  /** A handle that is out of date deletes nothing, as on AWS. Throws `ReceiptHandleIsInvalid`. */
  delete(queue: Queue, receiptHandle: string): void;
  /** Throws `ReceiptHandleIsInvalid`, `MessageNotInflight`, `InvalidParameterValue`. */
  changeVisibility(queue: Queue, receiptHandle: string, seconds: number): void;
  purge(queue: Queue): void;
  counts(queue: Queue): MessageCounts;
  /** When the next invisible message becomes visible, `null`: none will. */
  nextDueMs(queueName: string): number | null;
  /**
   * Moves the oldest visible messages as new ones (id, time and count start anew) to `destination`, or each to where it came from.
   * @returns how many, and to which queues; `stuck` when one has nowhere to go
   */
  move(source: Queue, destination: Queue | null, max: number): { moved: number; to: Set<Queue>; stuck: boolean };
}

type Row = {
  id: number;
  message_id: string;
  sealed: Uint8Array;
  sender_id: string;
  sent_ms: number;
  visible_ms: number;
  receive_count: number;
  first_receive_ms: number | null;
  receipt: string | null;
  source_arn: string | null;
};

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

export function openMessageStore(state: State, queues: QueueStore): MessageStore {
  const { db } = state;
  db.exec(`CREATE TABLE IF NOT EXISTS sqs_messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT, queue_id INTEGER NOT NULL REFERENCES sqs_queues (id) ON DELETE CASCADE,
      message_id TEXT NOT NULL, sealed BLOB NOT NULL, sender_id TEXT NOT NULL, sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL,
      receive_count INTEGER NOT NULL DEFAULT 0, first_receive_ms INTEGER, receipt TEXT, source_arn TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS sqs_messages_by_visibility ON sqs_messages (queue_id, visible_ms);
    CREATE INDEX IF NOT EXISTS sqs_messages_by_age ON sqs_messages (queue_id, sent_ms);`);
  // Whoever was working on these died with the process: a person at a laptop should not wait out the timeout.
  db.prepare('UPDATE sqs_messages SET visible_ms = ? WHERE receipt IS NOT NULL AND visible_ms > ?').run(Date.now(), Date.now());
  const insert = db.prepare(
    'INSERT INTO sqs_messages (queue_id, message_id, sealed, sender_id, sent_ms, visible_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const selectVisible = db.prepare('SELECT * FROM sqs_messages WHERE queue_id = ? AND visible_ms <= ? ORDER BY visible_ms, id LIMIT ?');
  const claim = db.prepare(
    'UPDATE sqs_messages SET visible_ms = ?, receive_count = receive_count + 1, first_receive_ms = coalesce(first_receive_ms, ?), receipt = ? WHERE id = ?',
  );
  const redrive = db.prepare('UPDATE sqs_messages SET queue_id = ?, visible_ms = ?, receipt = NULL, source_arn = ? WHERE id = ?');
  const renew = db.prepare(
    'UPDATE sqs_messages SET queue_id = ?, message_id = ?, sealed = ?, sent_ms = ?, visible_ms = ?, receive_count = 0, first_receive_ms = NULL, receipt = NULL, source_arn = NULL WHERE id = ?',
  );
  const selectById = db.prepare('SELECT * FROM sqs_messages WHERE id = ? AND queue_id = ?');
  const setVisible = db.prepare('UPDATE sqs_messages SET visible_ms = ? WHERE id = ?');
  const removeReceived = db.prepare('DELETE FROM sqs_messages WHERE id = ? AND queue_id = ? AND receipt = ?');
  const removeExpired = db.prepare('DELETE FROM sqs_messages WHERE queue_id = ? AND sent_ms <= ?');
  const removeAll = db.prepare('DELETE FROM sqs_messages WHERE queue_id = ?');
  const countVisible = db.prepare('SELECT count(*) AS n FROM sqs_messages WHERE queue_id = ? AND visible_ms <= ?');
  const countHidden = db.prepare(
    'SELECT count(receipt) AS received, count(*) - count(receipt) AS delayed FROM sqs_messages WHERE queue_id = ? AND visible_ms > ?',
  );
  const selectDue = db.prepare('SELECT min(visible_ms) AS due FROM sqs_messages WHERE queue_id = ? AND visible_ms > ?');
  const sealer = openSealer(state, 'sqs messages');

  function expire(queue: Queue): void {
    removeExpired.run(queue.id, Date.now() - numberOf(queue.attributes, 'MessageRetentionPeriod') * 1000);
  }

  function unseal(row: Row): { body: string; attributes: MessageAttributes } {
    return JSON.parse(sealer.open(Buffer.from(row.sealed), row.message_id).toString());
  }

  /** Messages that were received too often leave for the dead-letter queue when they would be received once more. */
  function redriveFrom(queue: Queue, now: number, max: number): { rows: Row[]; redrivenTo: Queue | null } {
    const policy = redrivePolicyOf(queue.attributes);
    const target = policy ? queues.findByArn(policy.deadLetterTargetArn) : null;
    let redrivenTo: Queue | null = null;
    for (;;) {
      const rows = selectVisible.all(queue.id, now, max) as Row[];
      if (!policy || !target) return { rows, redrivenTo };
      const spent = rows.filter((row) => row.receive_count >= policy.maxReceiveCount);
      if (spent.length === 0) return { rows, redrivenTo };
      for (const row of spent) redrive.run(target.id, now, queue.arn, row.id);
      redrivenTo = target;
    }
  }

  return {
    send(queue, { body, attributes, senderId, delaySeconds }) {
      const messageId = randomUUID();
      const now = Date.now();
      const sealed = sealer.seal(Buffer.from(JSON.stringify({ body, attributes })), messageId);
      insert.run(queue.id, messageId, sealed, senderId, now, now + Math.round(delaySeconds * 1000));
      return messageId;
    },
    receive: (queue, max, visibilitySeconds) =>
      state.transaction(() => {
        expire(queue);
        const now = Date.now();
        const { rows, redrivenTo } = redriveFrom(queue, now, max);
        const messages = rows.map((row): ReceivedMessage => {
          const receipt = randomBytes(16).toString('hex');
          claim.run(now + visibilitySeconds * 1000, now, receipt, row.id);
          return {
            ...unseal(row),
            messageId: row.message_id,
            receiptHandle: Buffer.from(`${queue.id}:${row.id}:${receipt}`).toString('base64'),
            senderId: row.sender_id,
            sentMs: row.sent_ms,
            receiveCount: row.receive_count + 1,
            firstReceiveMs: row.first_receive_ms ?? now,
            sourceArn: row.source_arn,
          };
        });
        return { messages, redrivenTo };
      }),
    delete(queue, receiptHandle) {
      const { id, receipt } = readHandle(queue, receiptHandle);
      removeReceived.run(id, queue.id, receipt);
    },
    changeVisibility(queue, receiptHandle, seconds) {
      const { id, receipt } = readHandle(queue, receiptHandle);
      const row = selectById.get(id, queue.id) as Row | undefined;
      if (!row || row.receipt !== receipt) {
        throw invalidParameter(
          `Value ${receiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
        );
      }
      const now = Date.now();
      if (row.visible_ms <= now) throw messageNotInflight();
      setVisible.run(now + seconds * 1000, id);
    },
    purge(queue) {
      removeAll.run(queue.id);
    },
    counts(queue) {
      expire(queue);
      const now = Date.now();
      const { n } = countVisible.get(queue.id, now) as { n: number };
      const { received, delayed } = countHidden.get(queue.id, now) as { received: number; delayed: number };
      return { visible: n, notVisible: received, delayed };
    },
    nextDueMs(queueName) {
      const queue = db.isOpen ? queues.find(queueName) : null;
      if (!queue) return null;
      return (selectDue.get(queue.id, Date.now()) as { due: number | null }).due;
    },
    move: (source, destination, max) =>
      state.transaction(() => {
        expire(source);
        const now = Date.now();
        const to = new Set<Queue>();
        let moved = 0;
        for (const row of selectVisible.all(source.id, now, max) as Row[]) {
          const target = destination ?? (row.source_arn === null ? null : queues.findByArn(row.source_arn));
          if (!target) return { moved, to, stuck: true };
          const messageId = randomUUID();
          const sealed = sealer.seal(sealer.open(Buffer.from(row.sealed), row.message_id), messageId);
          renew.run(target.id, messageId, sealed, now, now, row.id);
          to.add(target);
          moved += 1;
        }
        return { moved, to, stuck: false };
      }),
  };
}

function readHandle(queue: Queue, receiptHandle: string): { id: number; receipt: string } {
  const [queueId, id, receipt, more] = Buffer.from(receiptHandle, 'base64').toString('latin1').split(':');
  if (Number(queueId) !== queue.id || !/^\d{1,15}$/.test(id ?? '') || !receipt || more !== undefined) throw invalidReceiptHandle();
  return { id: Number(id), receipt };
}
