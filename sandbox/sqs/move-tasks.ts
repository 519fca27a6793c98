/** Tasks that move dead letters back. They go on where they were after a restart. */
import { randomUUID } from 'node:crypto';
import type { State } from '../state.ts';
import type { MessageStore } from './message-store.ts';
import type { Queue, QueueStore } from './queue-store.ts';

export type MoveTaskStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

export type MoveTask = {
  handle: string;
  source_arn: string;
  destination_arn: string | null;
  /** Messages per second, `null`: as fast as it goes. */
  rate: number | null;
  status: MoveTaskStatus;
  moved: number;
  to_move: number;
  failure: string | null;
  started_ms: number;
};

export interface MoveTasks {
  start(source: Queue, destination: Queue | null, rate: number | null): MoveTask;
  /** `null`: no task of this handle. */
  find(handle: string): MoveTask | null;
  /** Newest first. */
  list(sourceArn: string, limit: number): MoveTask[];
  cancel(task: MoveTask): void;
  close(): void;
}

const BATCH = 100;
const SECOND_MS = 1000;

export function openMoveTasks(state: State, queues: QueueStore, messages: MessageStore, notify: (queue: string) => void): MoveTasks {
  const { db } = state;
  db.exec(`CREATE TABLE IF NOT EXISTS sqs_move_tasks (
    handle TEXT PRIMARY KEY, source_arn TEXT NOT NULL, destination_arn TEXT, rate INTEGER, status TEXT NOT NULL,
    moved INTEGER NOT NULL, to_move INTEGER NOT NULL, failure TEXT, started_ms INTEGER NOT NULL) STRICT`);
  const insert = db.prepare("INSERT INTO sqs_move_tasks VALUES (?, ?, ?, ?, 'RUNNING', 0, ?, NULL, ?)");
  const select = db.prepare('SELECT * FROM sqs_move_tasks WHERE handle = ?');
  const selectBySource = db.prepare('SELECT * FROM sqs_move_tasks WHERE source_arn = ? ORDER BY started_ms DESC, rowid DESC LIMIT ?');
  const save = db.prepare('UPDATE sqs_move_tasks SET status = ?, moved = ?, failure = ? WHERE handle = ?');
  const timers = new Map<string, NodeJS.Timeout>();

  for (const { handle } of db.prepare("SELECT handle FROM sqs_move_tasks WHERE status = 'RUNNING'").all() as { handle: string }[]) {
    schedule(handle, 0);
  }

  function schedule(handle: string, delayMs: number): void {
    timers.set(handle, setTimeout(() => step(handle), delayMs).unref());
  }

  function step(handle: string): void {
    timers.delete(handle);
    const task = db.isOpen ? find(handle) : null;
    if (task?.status !== 'RUNNING') return;
    const source = queues.findByArn(task.source_arn);
    const destination = task.destination_arn === null ? null : queues.findByArn(task.destination_arn);
    if (!source || (task.destination_arn !== null && !destination)) {
      finish(task, 'FAILED', 'AWS.SimpleQueueService.NonExistentQueue');
      return;
    }
    // A task moves what was there when it began: what comes back while it runs would be moved for ever.
    const max = Math.min(task.rate ?? BATCH, task.to_move - task.moved);
    const { moved, to, stuck } = state.transaction(() => {
      const result = messages.move(source, destination, max);
      save.run('RUNNING', task.moved + result.moved, null, handle);
      return result;
    });
    for (const queue of to) notify(queue.name);
    task.moved += moved;
    if (stuck) finish(task, 'FAILED', 'CouldNotDetermineMessageSource');
    else if (moved < max || task.moved >= task.to_move) finish(task, 'COMPLETED', null);
    else schedule(handle, task.rate === null ? 0 : SECOND_MS);
  }

  function finish(task: MoveTask, status: MoveTaskStatus, failure: string | null): void {
    save.run(status, task.moved, failure, task.handle);
  }

  function find(handle: string): MoveTask | null {
    return (select.get(handle) as MoveTask | undefined) ?? null;
  }

  return {
    start(source, destination, rate) {
      const handle = Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: source.arn })).toString('base64');
      const task: MoveTask = {
        handle,
        source_arn: source.arn,
        destination_arn: destination?.arn ?? null,
        rate,
        status: 'RUNNING',
        moved: 0,
        to_move: messages.counts(source).visible,
        failure: null,
        started_ms: Date.now(),
      };
      insert.run(handle, task.source_arn, task.destination_arn, rate, task.to_move, task.started_ms);
      schedule(handle, 0);
      return task;
    },
    find,
    list: (sourceArn, limit) => selectBySource.all(sourceArn, limit) as MoveTask[],
    cancel: (task) => finish(task, 'CANCELLED', null),
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
