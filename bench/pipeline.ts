/**
 * The whole way: objects dropped into the ingest bucket until the last one is recorded and `audit` has looked at it. In tenths, each
 * begun once the one before has come to its end, so that the first and the last are the same work.
 */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { StackClients } from '../local/clients.ts';
import { drained } from '../local/queues.ts';
import type { LocalServer } from './local-server.ts';
import { compared, type Figure, timed } from './measure.ts';

const OBJECT_BYTES = 10 * 1024;
const PARALLEL = 32;
const TENTHS = 10;
/** Functions are started and their code is compiled before anything counts. */
const WARMING_OBJECTS = 2000;

interface Tenth {
  seconds: number;
  putSeconds: number;
  cpuMs: number;
}

/** @param count objects; rounded up to tens */
export async function benchPipeline(clients: StackClients, server: LocalServer, count: number): Promise<Figure[]> {
  const each = Math.ceil(count / TENTHS);
  await tenth(clients, server, 'warming', WARMING_OBJECTS);
  const tenths: Tenth[] = [];
  for (let number = 1; number <= TENTHS; number += 1) {
    const done = await tenth(clients, server, `tenth-${number}`, each);
    tenths.push(done);
    process.stderr.write(
      `pipeline ${number}/${TENTHS}: ${(each / done.seconds).toFixed(0)} objects/s, ${(done.cpuMs / each).toFixed(2)} ms of CPU each, ` +
        `${server.residentMiB().toFixed(0)} MiB\n`,
    );
  }
  const sum = (of: (tenth: Tenth) => number) => tenths.reduce((total, tenth) => total + of(tenth), 0);
  const [first, last] = [tenths.at(0), tenths.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there are no tenths');
  const scenario = 'pipeline';
  const all = each * TENTHS;
  return [
    compared(
      scenario,
      `${all} objects of 10 KiB, from the first PUT to the last record`,
      'objects/s',
      all / sum(({ seconds }) => seconds),
      {
        what: 'PUTs alone, while the pipeline worked',
        value: all / sum(({ putSeconds }) => putSeconds),
      },
    ),
    compared(scenario, `${all} objects: the last tenth`, 'objects/s', each / last.seconds, {
      what: 'the first tenth',
      value: each / first.seconds,
    }),
    compared(scenario, `${all} objects: CPU of services and functions in the last tenth, an object`, 'ms', last.cpuMs / each, {
      what: 'in the first tenth',
      value: first.cpuMs / each,
    }),
  ];
}

async function tenth(clients: StackClients, server: LocalServer, name: string, count: number): Promise<Tenth> {
  const body = randomBytes(OBJECT_BYTES);
  const cpuBefore = server.cpuMs();
  const started = performance.now();
  const puts = await timed(count, PARALLEL, (index) =>
    clients.s3.send(new PutObjectCommand({ Bucket: clients.ingestBucket, Key: `files/pipeline/${name}/${index}`, Body: body })),
  );
  await drained(clients);
  await drained({ sqs: clients.sqs, queueUrl: server.environment.SEALDROP_TARGET_EVENTS_QUEUE_URL ?? '' });
  return { seconds: (performance.now() - started) / 1000, putSeconds: puts.seconds, cpuMs: server.cpuMs() - cpuBefore };
}
