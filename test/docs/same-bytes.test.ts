/** A limit of docs/guarantees.md, shown: when it is gone, the page must not say it any more. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_BASE64 } from '../fixtures/objects.ts';
import { type QueuedMessage, sqsEvent } from '../order/queue.ts';
import { createSchedule } from '../order/schedule.ts';
import { openServices, type Services, TARGET, VERSIONED } from '../order/services.ts';
import { orderWorld } from '../order/world.ts';

let services: Services;
beforeAll(async () => {
  services = await openServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const first = () => 0;
const last = (below: number) => below - 1;

/** Three states of a key; the second is held up right before its copy until the third is done. Gives what the target then has. */
async function heldUp(Key: string, bodies: [string, string, string], source: 'keep' | 'delete' = 'keep'): Promise<string | undefined> {
  const admin = services.s3();
  const schedule = createSchedule();
  const { newFunction, queue } = orderWorld(services, schedule, source);
  const drop = async (Body: string): Promise<QueuedMessage[]> => {
    await admin.send(new PutObjectCommand({ Bucket: VERSIONED, Key, Body }));
    for (const event of services.takeEvents()) queue.send(event, 0);
    return queue.receive(1);
  };
  const start = (name: string, taken: QueuedMessage[]) =>
    schedule.start(name, false, async () => queue.settle(taken, await newFunction()(sqsEvent(taken))));
  const finish = async (until: number) => {
    while (schedule.running() > until) await schedule.step(last, 0);
  };

  start('one', await drop(bodies[0]));
  await finish(0);
  start('two', await drop(bodies[1]));
  while (!schedule.trace.includes('two after PutItemCommand')) await schedule.step(first, 0);
  start('three', await drop(bodies[2]));
  await finish(1);
  await finish(0);
  // What puts it right is a message of the function's own.
  for (let taken = queue.receive(1); taken.length > 0; taken = queue.receive(1)) {
    start('again', taken);
    await finish(0);
  }
  const customer = Key.startsWith('c/') ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY_BASE64 } : {};
  const { Body } = await admin.send(new GetObjectCommand({ Bucket: TARGET, Key, ...customer }));
  return Body?.transformToString();
}

describe('a state that is held up right before its copy', () => {
  it.each(['s3/', 'kms/', 'c/'])('never takes the place of a newer one with bytes of its own, under %s', async (prefix) => {
    expect(await heldUp(`${prefix}other-bytes`, ['on', 'off', 'dim'])).toBe('dim');
  });

  it.each(['s3/', 'kms/', 'c/'])('nor of one that brought former bytes back, under %s', async (prefix) => {
    expect(await heldUp(`${prefix}same-bytes`, ['on', 'off', 'on'])).toBe('on');
  });

  it('but stays in the place of such a one under SSE-S3, where the newer source is deleted already', async () => {
    expect(await heldUp('s3/deleted', ['on', 'off', 'on'], 'delete')).toBe('off');
  });
});
