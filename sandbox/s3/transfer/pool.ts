/** Threads for large copies, so that parts that are copied at once are, and small requests need not wait for them. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Job, Result } from './job.ts';

export interface Pool {
  /** Throws when the bytes cannot be read or written; what is in the target then is no copy. */
  run(job: Job): Promise<Exclude<Result, { failed: string }>>;
}

/** Begins a thread when one is needed and never ends it; idle ones do not keep the process alive. */
export function openPool(size = availableParallelism()): Pool {
  const idle: Worker[] = [];
  const waiting: ((worker: Worker) => void)[] = [];
  let begun = 0;

  const begin = (): Worker => {
    begun += 1;
    return new Worker(new URL('./worker.ts', import.meta.url));
  };
  const take = async (): Promise<Worker> => {
    const worker = idle.pop();
    if (worker) return worker;
    return begun < size ? begin() : new Promise((resolve) => waiting.push(resolve));
  };
  const give = (worker: Worker): void => {
    const next = waiting.shift();
    if (next) {
      next(worker);
      return;
    }
    worker.unref();
    idle.push(worker);
  };

  return {
    async run(job) {
      const worker = await take();
      worker.ref();
      worker.postMessage(job);
      let result: Result;
      try {
        [result] = (await once(worker, 'message')) as [Result];
      } catch (error) {
        // The thread is dead: whoever waits for it gets another.
        begun -= 1;
        const next = waiting.shift();
        if (next) next(begin());
        throw error;
      }
      give(worker);
      if ('failed' in result) throw new Error(`a copy failed: ${result.failed}`);
      return result;
    },
  };
}
