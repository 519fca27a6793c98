/** Dead letters that are to go back, doubles as one. */
import type { Message } from '@aws-sdk/client-sqs';
import type { ObjectRef } from '../../src/events/index.ts';
import { type IngestLetter, readIngestLetter } from '../dead-letters/letter.ts';
import { giveBack, type Queue } from '../dead-letters/queue.ts';
import { type Reading, readThrough } from '../dead-letters/read-through.ts';

/** Texts are kept until they are sent: one of S3's has about a thousand bytes. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

/** One text to send, and all messages that ask for the same. */
const EXPOSED = 'answer-mismatch';

export interface Task {
  body: string;
  code: string;
  /** None: a text without an object. */
  refs: ObjectRef[];
  /** Hidden until they are deleted or given back. */
  handles: string[];
  newestMs: number;
}

export interface Collection {
  reading: Reading;
  tasks: Task[];
  /** Messages that were not asked for. */
  others: number;
  /** Ids of all that were seen. */
  seenIds: ReadonlySet<string>;
}

export interface Wanted {
  codes: readonly string[];
  keyPrefix: string;
}

/**
 * What it returns is hidden; what was not asked for is visible again, and everything is when it throws.
 * @throws CannotLook
 */
export async function collect(queue: Queue, wanted: Wanted, signal: AbortSignal): Promise<Collection> {
  const tasks = new Map<string, Task>();
  let keptBytes = 0;
  let others = 0;
  const seenIds = new Set<string>();
  const visit = (message: Message) => {
    const letter = readIngestLetter(message);
    seenIds.add(letter.messageId);
    if (!isWanted(letter, wanted)) {
      others += 1;
      return 'give back';
    }
    const { identity, body, code, refs, receiptHandle, sentMs } = letter;
    const task = tasks.get(identity);
    if (task === undefined) {
      keptBytes += Buffer.byteLength(body);
      tasks.set(identity, { body, code, refs, handles: [receiptHandle], newestMs: sentMs });
    } else {
      task.handles.push(receiptHandle);
      // Of doubles the last says why it failed.
      if (sentMs > task.newestMs) [task.code, task.newestMs] = [code, sentMs];
    }
    return 'keep';
  };
  try {
    const reading = await readThrough(queue, visit, { signal, full: () => keptBytes > MAX_KEPT_BYTES });
    return { reading, tasks: [...tasks.values()], others, seenIds };
  } catch (error) {
    await giveBack(queue, handlesOf([...tasks.values()]));
    throw error;
  }
}

export function handlesOf(tasks: readonly Task[]): string[] {
  return tasks.flatMap(({ handles }) => handles);
}

/** What holds no object fails again as it is, unless its reader was changed: that must be said by name. A text without its end is lost. */
export function isWanted({ code, refs, shortened }: IngestLetter, { codes, keyPrefix }: Wanted): boolean {
  if (shortened) return false;
  // An object that may lie exposed is for a person to look at, whatever another delivery recorded.
  if (codes.length === 0 ? refs.length === 0 || code === EXPOSED : !codes.includes(code)) return false;
  return keyPrefix === '' || refs.some(({ key }) => key.startsWith(keyPrefix));
}
