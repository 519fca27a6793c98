/** The whole way: objects dropped into the ingest bucket until the last one is recorded. */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import { drained } from '../local/queues.ts';
import { compared, type Figure, timed } from './measure.ts';

const OBJECT_BYTES = 10 * 1024;
const PARALLEL = 32;

export async function benchPipeline(clients: StackClients, count: number): Promise<Figure[]> {
  const body = randomBytes(OBJECT_BYTES);
  const started = performance.now();
  const dropped = await timed(count, PARALLEL, (index) =>
    clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: `files/pipeline-${index}`, Body: body })),
  );
  await drained(clients);
  const seconds = (performance.now() - started) / 1000;
  return [
    compared('pipeline', `${count} objects of 10 KiB, from the first PUT to the last record`, 'objects/s', count / seconds, {
      what: 'PUTs alone, while the pipeline worked',
      value: count / dropped.seconds,
    }),
  ];
}
