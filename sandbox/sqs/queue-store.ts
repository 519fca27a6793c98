/** Queues: their names, attributes and tags. */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { State } from '../state.ts';
import type { QueueAttributes } from './attributes.ts';
import { invalidParameter, queueDoesNotExist, unsupported } from './errors.ts';

const ARN_PREFIX = `arn:${PARTITION}:sqs:${REGION}:${ACCOUNT_ID}:`;
const NAME = /^[A-Za-z0-9_-]{1,80}$/;

export interface Queue {
  id: number;
  name: string;
  arn: string;
  /** Only those that were set. */
  attributes: QueueAttributes;
  tags: Record<string, string>;
  createdMs: number;
  modifiedMs: number;
}

export interface QueueStore {
  create(name: string, attributes: QueueAttributes, tags: Record<string, string>): Queue;
  /** `null`: no queue of this name. */
  find(name: string): Queue | null;
  /** `null`: no such ARN here. */
  findByArn(arn: string): Queue | null;
  /** Throws `QueueDoesNotExist`. */
  requireByArn(arn: string): Queue;
  /** By the last two segments of a queue URL, whatever its host. Throws `QueueDoesNotExist`. */
  requireByUrl(url: string): Queue;
  update(queue: Queue, change: { attributes?: QueueAttributes; tags?: Record<string, string> }): void;
  /** And all its messages. */
  remove(queue: Queue): void;
  /** Ordered by name, those after `after`. */
  list(prefix: string, after: string, limit: number): Queue[];
  all(): Queue[];
}

type Row = { id: number; name: string; attributes: string; tags: string; created_ms: number; modified_ms: number };

export function queueArn(name: string): string {
  return ARN_PREFIX + name;
}

/** Throws `InvalidParameterValue`, or says that the sandbox has no FIFO queues. */
export function assertQueueName(name: string): void {
  if (name.endsWith('.fifo')) throw unsupported('The sandbox has standard queues only, no FIFO queues.');
  if (!NAME.test(name)) throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
}

export function openQueueStore(state: State): QueueStore {
  const { db } = state;
  db.exec(`CREATE TABLE IF NOT EXISTS sqs_queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, attributes TEXT NOT NULL, tags TEXT NOT NULL,
    created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL) STRICT`);
  const insert = db.prepare('INSERT INTO sqs_queues (name, attributes, tags, created_ms, modified_ms) VALUES (?, ?, ?, ?, ?)');
  const save = db.prepare('UPDATE sqs_queues SET attributes = ?, tags = ?, modified_ms = ? WHERE id = ?');
  const removeById = db.prepare('DELETE FROM sqs_queues WHERE id = ?');
  // Few and read on every call: kept in memory, the table is for the next start.
  const byName = new Map((db.prepare('SELECT * FROM sqs_queues').all() as Row[]).map((row) => [row.name, fromRow(row)]));

  const store: QueueStore = {
    create(name, attributes, tags) {
      const now = Date.now();
      const { lastInsertRowid } = insert.run(name, JSON.stringify(attributes), JSON.stringify(tags), now, now);
      const queue = { id: Number(lastInsertRowid), name, arn: queueArn(name), attributes, tags, createdMs: now, modifiedMs: now };
      byName.set(name, queue);
      return queue;
    },
    find: (name) => byName.get(name) ?? null,
    findByArn: (arn) => (arn.startsWith(ARN_PREFIX) ? store.find(arn.slice(ARN_PREFIX.length)) : null),
    requireByArn(arn) {
      const queue = store.findByArn(arn);
      if (!queue) throw queueDoesNotExist();
      return queue;
    },
    requireByUrl(url) {
      const [account, name] = url.split('/').slice(-2);
      const queue = account === ACCOUNT_ID && name !== undefined ? store.find(name) : null;
      if (!queue) throw queueDoesNotExist();
      return queue;
    },
    update(queue, change) {
      Object.assign(queue, change, { modifiedMs: Date.now() });
      save.run(JSON.stringify(queue.attributes), JSON.stringify(queue.tags), queue.modifiedMs, queue.id);
    },
    remove(queue) {
      removeById.run(queue.id);
      byName.delete(queue.name);
    },
    list: (prefix, after, limit) =>
      store
        .all()
        .filter(({ name }) => name.startsWith(prefix) && name > after)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, limit),
    all: () => [...byName.values()],
  };
  return store;
}

function fromRow(row: Row): Queue {
  return {
    id: row.id,
    name: row.name,
    arn: queueArn(row.name),
    attributes: JSON.parse(row.attributes),
    tags: JSON.parse(row.tags),
    createdMs: row.created_ms,
    modifiedMs: row.modified_ms,
  };
}
