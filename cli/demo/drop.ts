/** Files into the ingest bucket, and the wait for the pipeline. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import pMap from 'p-map';
import type { DemoClients } from './clients.ts';
import type { DroppedFile } from './find-files.ts';

const PARALLEL_UPLOADS = 16;

/** Up to here a file is read at once; above it is streamed. */
const WHOLE_FILE_BYTES = 1024 * 1024;

const LOOK_EVERY_MS = 100;

export async function dropFiles(files: DroppedFile[], clients: DemoClients, update: (done: number) => void): Promise<void> {
  let done = 0;
  const drop = async (file: DroppedFile) => {
    const Body = file.size <= WHOLE_FILE_BYTES ? await readFile(file.path) : createReadStream(file.path);
    await clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: file.key, Body, ContentLength: file.size }));
    done += 1;
    update(done);
  };
  await pMap(files, drop, { concurrency: PARALLEL_UPLOADS });
}

/** Until no message waits or is being worked on. */
export async function waitUntilEncrypted(total: number, clients: DemoClients, update: (done: number) => void): Promise<void> {
  for (;;) {
    const left = await messagesIn(clients.queueUrl, clients);
    update(total - left);
    if (left === 0) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** One line for each cause among the dead letters: `kms-key-disabled ×12: the KMS key is disabled`. */
export async function deadLetterCauses(clients: DemoClients): Promise<string[]> {
  const counts = new Map<string, number>();
  let left = await messagesIn(clients.deadLetterQueueUrl, clients);
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

async function messagesIn(queueUrl: string, { sqs }: DemoClients): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
