/** One file's way through the shipped function, and the function's death at any call of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { messagesIn } from '../../local/queues.ts';
import type { FaultRule } from '../../sandbox/index.ts';
import { checkAll } from './check.ts';
import type { Check } from './checking.ts';
import { dropAll, type Ledger } from './drop.ts';
import { type Evidence, gather } from './evidence.ts';
import { joinFates, type KeyFate } from './fates.ts';
import { type PlannedKey, type PlannedState, statesOf } from './plan.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 20_000;

/** How long before its end the function begins no further part. */
const STOPS_BEFORE_END_MS = 60_000;

/** A call that the function makes on its way: the `nth` of its operation, from 0. */
export interface PathCall {
  service: FaultRule['service'];
  operation: string;
  nth: number;
}

export interface Path {
  title: string;
  /** Of the last state; an earlier one is small. */
  size: number;
  folder: PlannedKey['folder'];
  states: 1 | 2;
  /** Killed once before it begins, after so many parts. */
  afterParts?: number;
  /** Its time ends in the middle of it: milliseconds until it begins no further part, each of which takes longer. */
  stopsAfterMs?: number;
  /** Begins with a cold start, in which keys and settings are asked for. */
  cold?: true;
  /** Kills only at these; default: at every call. */
  only?: { operation: string; nth: number }[];
}

export interface Walked {
  fate: KeyFate;
  evidence: Evidence;
  checks: Check[];
  /** Whether the kill came to be. */
  killed: boolean;
}

export interface KillStage {
  /** Walks a path undisturbed. */
  callsOf(path: Path): Promise<PathCall[]>;
  /** Walks it under a kill, and on until nothing is left to do. */
  walk(path: Path, call: PathCall, when: 'before' | 'after'): Promise<Walked>;
}

export function openKillStage(world: World): KillStage {
  const { clients, sandbox, invocations } = world;
  let walks = 0;

  return {
    async callsOf(path) {
      const calls: PathCall[] = [];
      const counts = new Map<string, number>();
      let listening = false;
      const end = sandbox.faults.observe(({ phase, caller, service, operation }) => {
        if (!listening || phase !== 'before' || !caller?.endsWith('-encrypt')) return;
        const nth = counts.get(`${service}:${operation}`) ?? 0;
        counts.set(`${service}:${operation}`, nth + 1);
        calls.push({ service: service as FaultRule['service'], operation, nth });
      });
      const { finish } = await begin(path);
      listening = true;
      sandbox.faults.set({ rules: slowness(path) });
      await finish();
      end();
      return calls;
    },

    async walk(path, { service, operation, nth }, when) {
      const { planned, ledger, finish } = await begin(path);
      const kill: FaultRule = { id: 'kill', service, operation, caller: 'encrypt', after: nth, count: 1, fault: { kind: 'kill', when } };
      sandbox.faults.set({ rules: [...slowness(path), kill] });
      await finish();
      const killed = sandbox.faults.report().rules.some(({ id, fired }) => id === 'kill' && fired === 1);
      sandbox.faults.clear();
      const evidence = await gather(clients, { key: planned.key });
      const [fate] = joinFates([planned], ledger, invocations, evidence);
      if (fate === undefined) throw new Error('one key has one fate');
      const troubles = { injected: [], outages: [], stopsAfterMs: 60_000 };
      const checks = checkAll({
        seed: 0,
        fates: [fate],
        evidence,
        troubles,
        kmsKeyArn: clients.kmsKeyArn,
        leaks: { logs: [], secrets: [] },
      });
      return { fate, evidence, checks, killed };
    },
  };

  /** Up to where the path begins: nothing is under way, and the function is cold. */
  async function begin(path: Path) {
    const planned = planPath(path, walks++);
    const ledger: Ledger = { written: [], removed: new Set() };
    const [first, ...rest] = statesOf(planned).map((state): PlannedKey => ({ ...planned, writers: [[{ do: 'put', state }]] }));
    const drop = (step: PlannedKey | undefined) =>
      dropAll(step === undefined ? [] : [step], clients, { seed: 0, ledger, update: () => {} });
    sandbox.faults.clear();
    let last = first;
    for (const next of rest) {
      await drop(last);
      await quiet();
      last = next;
    }
    if (path.cold) world.renewFunction();
    if (path.stopsAfterMs !== undefined) world.renewFunction((STOPS_BEFORE_END_MS + path.stopsAfterMs) / 1000);
    if (path.afterParts === undefined) return { planned, ledger, finish: async () => drop(last).then(quiet) };
    const fault = { kind: 'kill', when: 'after' } as const;
    sandbox.faults.set({
      rules: [{ service: 's3', operation: 'UploadPartCopy', caller: 'encrypt', after: path.afterParts - 1, count: 1, fault }],
    });
    const before = invocations.length;
    await drop(last);
    await until('the first death', async () => invocations[before]?.failed === true);
    return { planned, ledger, finish: quiet };
  }

  /** Until the queue is empty and nothing is worked on; whoever was killed is delivered again at once. */
  function quiet(): Promise<void> {
    return until('the end of the path', async () => {
      await world.bringBack('died', 0);
      await world.bringBack('given back', 0);
      const working = invocations.some(({ ended }) => ended === null);
      return !working && (await messagesIn(clients.sqs, clients.queueUrl)) === 0 && !invocations.some(({ ended }) => ended === null);
    });
  }
}

/** A part that is begun before the stop ends after it. */
function slowness({ stopsAfterMs }: Path): FaultRule[] {
  if (stopsAfterMs === undefined) return [];
  return [{ service: 's3', operation: 'UploadPartCopy', caller: 'encrypt', fault: { kind: 'slow', latencyMs: stopsAfterMs } }];
}

function planPath({ title, folder, size, states }: Path, walk: number): PlannedKey {
  const state = (number: number): PlannedState => ({
    number,
    size: number === states - 1 ? size : 100,
    contentType: 'text/plain',
    metadata: { walk: String(walk) },
    tags: { path: 'kill' },
  });
  const steps = Array.from({ length: states }, (_, number) => ({ do: 'put', state: state(number) }) as const);
  return { key: `${folder}${title.replaceAll(/\W+/g, '-')}/${walk}`, folder, story: 'overwritten', writers: [steps] };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(LOOK_EVERY_MS);
  }
}
