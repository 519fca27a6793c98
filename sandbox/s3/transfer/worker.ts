/** The thread: one job at a time. */
import { parentPort } from 'node:worker_threads';
import type { Job, Result } from './job.ts';
import { moveBytes } from './move-bytes.ts';

const port = parentPort;
if (port === null) throw new Error('this is the thread of a copy, nothing to be run by itself');

port.on('message', (job: Job) => port.postMessage(run(job)));

function run(job: Job): Result {
  try {
    return moveBytes(job);
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
