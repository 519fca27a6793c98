/** One run: the stack, the files, the faults, the end of it, and the checks. */
import { setTimeout as delay } from 'node:timers/promises';
import { DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import type { Progress } from '../../cli/terminal.ts';
import { messagesIn } from '../../local/queues.ts';
import { injectedIn } from './calls.ts';
import { checkAll } from './check.ts';
import { dropAll, type Ledger } from './drop.ts';
import { gather } from './evidence.ts';
import { joinFates } from './fates.ts';
import { planFaults } from './fault-plan.ts';
import type { Troubles } from './injected.ts';
import { planKeys, statesOf } from './plan.ts';
import type { Run } from './report.ts';
import { FLAKY_KEY_ID, LOST_KEY_ID } from './stored-as.ts';
import { tracesOf } from './traces.ts';
import { openWorld, type World } from './world.ts';

const VISIBILITY_SECONDS = 15;
/** A minute of it is kept for the end, so that copies of many parts meet their end and go on in the next. */
const TIMEOUT_SECONDS = 70;
const STOPS_AFTER_MS = 10_000;
/** Nobody waits longer for what was given back. */
const LONGEST_WAIT_SECONDS = 10;
const LOOK_EVERY_MS = 250;
/** Whatever is to come by itself has come by then: what is left waits for a quarter of an hour. */
const QUIET_MS = (VISIBILITY_SECONDS + 3) * 1000;
/** Whoever still waits after so many waits for ever. */
const MOST_LEAPS = 8;

export interface RunOptions {
  objects: number;
  seed: number;
  calm: boolean;
  keep: boolean;
  progress: (label: string, total: number) => Progress;
}

/** @throws where the run itself breaks: what it was to prove is then not known */
export async function runChaos({ objects, seed, calm, keep, progress }: RunOptions): Promise<Run> {
  const keys = planKeys(objects, seed);
  const states = keys.flatMap(statesOf);
  const world = await openWorld({ visibilitySeconds: VISIBILITY_SECONDS, timeoutSeconds: TIMEOUT_SECONDS });
  try {
    const { clients } = world;
    const ledger: Ledger = { written: [], removed: new Set() };
    const troubles: Troubles = { injected: [], outages: [], stopsAfterMs: STOPS_AFTER_MS };
    await clients.kms.send(new DisableKeyCommand({ KeyId: LOST_KEY_ID }));

    if (!calm) world.sandbox.faults.set(planFaults(states.length, seed));
    const dropping = phase('drop', objects, progress);
    const outage = calm
      ? null
      : disableForAWhile(
          world,
          troubles,
          () => ledger.written.length > states.length / 3,
          () => ledger.written.length > (states.length * 2) / 3,
        );
    await dropAll(keys, clients, { seed, ledger, update: dropping.update });
    await outage;
    const drop = dropping.finish('into the ingest bucket');

    const draining = phase('settle', states.length, progress);
    await settled(world, ledger, draining.update);
    const drain = draining.finish('encrypted or dead');
    troubles.injected = injectedIn(world.calls);
    world.sandbox.faults.clear();

    const checking = phase('check', objects, progress);
    const evidence = await gather(clients, { update: (done, of) => checking.update(Math.floor((done / of) * objects)) });
    const fates = joinFates(keys, ledger, world.invocations, evidence);
    const customerKey = await clients.customerKey();
    const secrets = ['hex', 'base64'].map((encoding) => customerKey.toString(encoding as BufferEncoding));
    const logs = world.logs.map(({ text }) => text);
    const leaks = { logs, secrets };
    const checks = checkAll({ seed, fates, evidence, troubles, kmsKeyArn: clients.kmsKeyArn, leaks });
    const check = checking.finish('looked at');
    return {
      seed,
      objects,
      states: states.length,
      bytes: states.reduce((sum, { size }) => sum + size, 0),
      times: { drop, drain, check },
      fates,
      invocations: world.invocations,
      troubles,
      logs,
      fired: world.sandbox.faults.report().rules,
      checks,
      traces: tracesOf(world.invocations, world.calls),
    };
  } finally {
    if (keep) console.error(`The data is in ${world.dataDir}`);
    await world.stop({ keep });
  }
}

/** A KMS key that somebody disables and enables again, in the middle of it all. */
async function disableForAWhile(
  { clients: { kms } }: World,
  { outages }: Troubles,
  begins: () => boolean,
  ends: () => boolean,
): Promise<void> {
  while (!begins()) await delay(LOOK_EVERY_MS);
  const from = Date.now();
  await kms.send(new DisableKeyCommand({ KeyId: FLAKY_KEY_ID }));
  while (!ends()) await delay(LOOK_EVERY_MS);
  await kms.send(new EnableKeyCommand({ KeyId: FLAKY_KEY_ID }));
  outages.push({ keyId: FLAKY_KEY_ID, from, until: Date.now() });
}

/** Until every event was delivered, and nothing waits or is worked on. */
async function settled(world: World, ledger: Ledger, update: (done: number) => void): Promise<void> {
  let moved = { at: Date.now(), mark: '' };
  let leaps = 0;
  for (;;) {
    const delivered = new Set(
      world.invocations.flatMap(({ deliveries }) => deliveries.flatMap(({ sources }) => sources.map(({ versionId }) => versionId))),
    );
    const left = await messagesIn(world.clients.sqs, world.clients.queueUrl);
    const working = world.invocations.filter(({ ended }) => ended === null).length;
    update(Math.max(0, delivered.size - left));
    if (left === 0 && working === 0 && ledger.written.every(({ versionId }) => delivered.has(versionId))) return;
    const mark = `${left} ${world.invocations.length} ${working}`;
    if (mark !== moved.mark) moved = { at: Date.now(), mark };
    if (working === 0 && Date.now() - moved.at > QUIET_MS) {
      if (leaps === MOST_LEAPS) return;
      leaps += 1;
      await world.leap();
    }
    await world.bringBack('given back', LONGEST_WAIT_SECONDS);
    await delay(LOOK_EVERY_MS);
  }
}

function phase(label: string, total: number, progress: RunOptions['progress']) {
  const begun = performance.now();
  const bar = progress(label, total);
  return {
    update: bar.update,
    finish(note: string): number {
      const took = performance.now() - begun;
      bar.finish(`${note}, ${(took / 1000).toFixed(1)} s`);
      return took;
    },
  };
}
