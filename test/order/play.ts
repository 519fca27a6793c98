/** Plays one scenario to its end: applications write and delete, events come twice, late and out of order, invocations overlap and die. */
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type DeadLetter, MAX_RECEIVES, type QueuedMessage, sqsEvent } from './queue.ts';
import { createSchedule, type Invocation } from './schedule.ts';
import { type Services, UNVERSIONED, VERSIONED } from './services.ts';
import { orderWorld, PARTS_ABOVE_BYTES } from './world.ts';

export type Action =
  | { kind: 'put'; key: number; large: boolean }
  /** Without a version id: a delete marker, or in an unversioned bucket the end of the object. */
  | { kind: 'delete'; key: number }
  /** The newest version, for good. */
  | { kind: 'remove'; key: number };

export interface Scenario {
  bucket: 'versioned' | 'unversioned';
  source: 'keep' | 'delete';
  prefix: 'c/' | 's3/' | 'kms/';
  actions: Action[];
  /** How often each event comes, in turns. */
  deliveries: number[];
  /** 0: nobody dies. */
  killOneIn: number;
  /** States with the same bytes, told apart by their metadata; 0: each has bytes of its own. */
  sameBytes: number;
  seed: number;
}

/** One state of a key that was dropped. */
export interface Dropped {
  key: string;
  body: string;
  /** Of its metadata. */
  state: string;
  sequencer: string;
  versionId: string | undefined;
  /** By an application, not by us. */
  removed: boolean;
}

export interface Played {
  dropped: Dropped[];
  deadLetters: DeadLetter[];
  trace: string[];
}

const MAX_AT_ONCE = 4;
const MAX_BATCH = 2;
/** Seconds on the queue's clock by which an event may come late. */
const LATEST = 6;
const SECONDS_A_STEP = 0.5;
/** After a death. */
const COMES_BACK_SECONDS = 30;
/** Far more than any scenario needs. */
const MAX_STEPS = 20_000;

export async function play(scenario: Scenario, services: Services, admin: S3Client, name: string): Promise<Played> {
  const draw = randomDraw(scenario.seed);
  const schedule = createSchedule();
  const { newFunction, queue } = orderWorld(services, schedule, scenario.source);
  const Bucket = scenario.bucket === 'versioned' ? VERSIONED : UNVERSIONED;
  const dropped: Dropped[] = [];
  const actions = [...scenario.actions];
  const taking = new Map<Invocation, QueuedMessage[]>();
  let invocations = 0;

  async function act(action: Action): Promise<void> {
    const key = `${scenario.prefix}${name}-${action.key}`;
    if (action.kind === 'put') {
      const state = String(dropped.length);
      const said = scenario.sameBytes > 0 ? dropped.length % scenario.sameBytes : dropped.length;
      const body = `${said} of ${name} `.padEnd(action.large ? 2 * PARTS_ABOVE_BYTES : 20, '.');
      await admin.send(new PutObjectCommand({ Bucket, Key: key, Body: body, Metadata: { state } }));
      for (const event of services.takeEvents()) {
        const { sequencer, versionId } = JSON.parse(event).Records[0].s3.object;
        if (Bucket === UNVERSIONED) for (const one of dropped) if (one.key === key) one.removed = true;
        const times = scenario.deliveries[dropped.length % scenario.deliveries.length] ?? 1;
        dropped.push({ key, body, state, sequencer, versionId, removed: false });
        for (let time = 0; time < times; time += 1) queue.send(event, draw(LATEST));
      }
      return;
    }
    const newest = dropped.findLast((one) => one.key === key && !one.removed);
    const VersionId = action.kind === 'remove' ? newest?.versionId : undefined;
    if (action.kind === 'remove' && VersionId === undefined) return;
    await admin.send(new DeleteObjectCommand({ Bucket, Key: key, ...(VersionId === undefined ? {} : { VersionId }) }));
    if (newest !== undefined && (VersionId !== undefined || Bucket === UNVERSIONED)) newest.removed = true;
  }

  function invoke(): void {
    const taken = queue.receive(1 + draw(MAX_BATCH));
    if (taken.length === 0) return;
    invocations += 1;
    // What kills every delivery leaves a message that the queue itself gives up: no code can answer for that.
    const mortal = taken.every(({ receives }) => receives < MAX_RECEIVES);
    const name = `#${invocations} (${taken.map(({ id, receives }) => `${id}/${receives}`).join(' ')})`;
    const invocation = schedule.start(name, mortal, async () => queue.settle(taken, await newFunction()(sqsEvent(taken))));
    taking.set(invocation, taken);
  }

  for (let step = 0; step < MAX_STEPS; step += 1) {
    queue.pass(SECONDS_A_STEP);
    if (actions.length > 0 && draw(3) === 0) {
      const next = actions.shift();
      if (next !== undefined) await act(next);
    } else if (schedule.running() < MAX_AT_ONCE && draw(2) === 0) invoke();
    else {
      const moved = await schedule.step(draw, scenario.killOneIn);
      if (moved?.dead) for (const { id } of taking.get(moved) ?? []) queue.changeVisibility(id, COMES_BACK_SECONDS);
      if (moved !== null) continue;
      // Whoever makes no call waits for a pause of its own to end.
      if (schedule.running() > 0) await delay(1);
      else if (actions.length === 0 && !queue.skipToNext()) return { dropped, deadLetters: queue.deadLetters, trace: schedule.trace };
    }
  }
  throw new Error(`the scenario did not come to an end; ${queue.left()} messages are left`);
}

/** Mulberry32: the same seed, the same numbers. */
function randomDraw(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
  };
}
