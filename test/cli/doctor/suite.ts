/** One test for a world where all is well, and one for each broken thing of a table. */
import { expect, test } from 'vitest';
import type { Check } from '../../../cli/doctor/context.ts';
import { healthyWorld, type World } from './world.ts';

export type Row = [title: string, break_: (world: World) => unknown, found: string[]];

/** What the check finds: `severity id`, sorted. */
export async function findingsOf(check: Check, world: World): Promise<string[]> {
  return (await check.run(world.context)).map(({ severity, id }) => `${severity} ${id}`).sort();
}

export function suite(check: Check, rows: Row[]): void {
  test('finds nothing where all is well', async () => {
    expect(await check.run(healthyWorld().context)).toEqual([]);
  });
  test.each(rows)('finds %s', async (_, breakIt, found) => {
    const world = healthyWorld();
    breakIt(world);
    expect(await findingsOf(check, world)).toEqual(found);
  });
}
