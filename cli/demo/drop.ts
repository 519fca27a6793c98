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

export async function dropFiles(files: DroppedFile[], clients: StackClients, update: (done: number) => void): Promise<void> {
  let done = 0;
  const drop = async (file: DroppedFile) => {
    const Body = file.size <= WHOLE_FILE_BYTES ? await readFile(file.path) : createReadStream(file.path);
    await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: file.key, Body, ContentLength: file.size }));
    done += 1;
    update(done);
  };
  await pMap(files, drop, { concurrency: PARALLEL_UPLOADS });
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
