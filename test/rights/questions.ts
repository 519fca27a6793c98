/** Every question, and every function's answers. */
import { KEY_PROBES, NEVER_ALLOWED_ON_KEYS } from './key-probes.ts';
import { NEVER_ALLOWED_ON_OBJECTS, OBJECT_PROBES } from './object-probes.ts';
import { type Probe, verdictOf } from './probe.ts';
import { NEVER_ALLOWED_ON_TABLES, QUEUE_AND_TABLE_PROBES } from './queue-and-table-probes.ts';
import { JUDGED_BY_SIMULATOR } from './simulated-probes.ts';
import { nameOf, type Verdicts } from './table.ts';
import { FUNCTIONS, type FunctionName, type World } from './world.ts';

export const PROBES: Probe[] = [...OBJECT_PROBES, ...KEY_PROBES, ...QUEUE_AND_TABLE_PROBES, ...JUDGED_BY_SIMULATOR];

/** What even who may everything else is refused. */
export const NEVER_ALLOWED: ReadonlySet<Probe> = new Set([
  ...NEVER_ALLOWED_ON_OBJECTS,
  ...NEVER_ALLOWED_ON_KEYS,
  ...NEVER_ALLOWED_ON_TABLES,
]);

/** What each function may, by the question's name; what may change something comes last. */
export async function askAll(world: World): Promise<ReadonlyMap<string, Verdicts>> {
  const found = new Map<string, Verdicts>();
  for (const probe of [...PROBES].sort(destructiveLast)) found.set(nameOf(probe), await verdictsFor(world, probe));
  return found;
}

export function destructiveLast(a: Probe, b: Probe): number {
  return Number(a.destructive) - Number(b.destructive);
}

async function verdictsFor(world: World, probe: Probe): Promise<Verdicts> {
  const verdict = (name: FunctionName) => verdictOf(probe, name, world);
  const [encrypt, audit, authorize, download, list, history, health] = await Promise.all(FUNCTIONS.map(verdict));
  if (!(encrypt && audit && authorize && download && list && history && health)) throw new Error('a function was not asked');
  return { encrypt, audit, authorize, download, list, history, health };
}
