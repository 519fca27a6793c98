/** Files into the ingest bucket, and what became of those that failed. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import type { StackClients } from '../../local/clients.ts';
import { messagesIn } from '../../local/queues.ts';
import type { DroppedFile } from './find-files.ts';

const PARALLEL_UPLOADS = 16;

/** Up to here a file is read at once; above it is streamed. */
const WHOLE_FILE_BYTES = 1024 * 1024;

/** @returns the files that could not be dropped, with why */
export async function dropFiles(
  files: DroppedFile[],
  clients: StackClients,
  update: (done: number) => void,
): Promise<Map<DroppedFile, string>> {
  const failures = new Map<DroppedFile, string>();
  let done = 0;
  const drop = async (file: DroppedFile) => {
    await put(file, clients).catch((error: unknown) => {
      failures.set(file, error instanceof Error ? error.message : String(error));
    });
    done += 1;
    update(done);
  };
  await pMap(files, drop, { concurrency: PARALLEL_UPLOADS });
  return failures;
}

async function put({ path, key, size }: DroppedFile, { s3, ingestBucket }: StackClients): Promise<void> {
  // A file may grow while it is read: what it had when it was found is dropped.
  const Body = size <= WHOLE_FILE_BYTES ? (await readFile(path)).subarray(0, size) : createReadStream(path, { end: size - 1 });
  await s3.send(new PutObjectCommand({ Bucket: ingestBucket, Key: key, Body, ContentLength: size }));
}

/** One line for each cause among the dead letters: `kms-key-disabled ×12: the KMS key is disabled`. */
export async function deadLetterCauses(clients: StackClients): Promise<string[]> {
  const counts = new Map<string, number>();
  let left = await messagesIn(clients.sqs, clients.deadLetterQueueUrl);
  while (left > 0) {
    const receive = new ReceiveMessageCommand({
      QueueUrl: clients.deadLetterQueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
    });
    const { Messages = [] } = await clients.sqs.send(receive);
    if (Messages.length === 0) break;
    for (const { MessageAttributes } of Messages) {
      const line = `${MessageAttributes?.code?.StringValue ?? 'no code'}: ${MessageAttributes?.cause?.StringValue ?? 'no cause'}`;
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    left -= Messages.length;
  }
  return [...counts].map(([line, count]) => `${count} × ${line}`);
}
