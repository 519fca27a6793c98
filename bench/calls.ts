/** AWS calls of an object by what becomes of it, counted on the wire. */
import type { CopyLimits } from '../src/copy/plan.ts';
import type { CopyWorld } from './copy-world.ts';
import type { DroppedObject } from './ingest-messages.ts';
import type { Figure } from './measure.ts';

const SCENARIO = 'calls';
const BATCH = 10;
const SMALL_BYTES = 10 * 1024;
const MIB = 1024 ** 2;
/** As serverless.yml has them. */
const SHIPPED: CopyLimits = { partsAboveBytes: 256 * MIB, partBytes: 64 * MIB };
/** The shipped ones, and what they do to bytes, by 16 less. */
const LOWERED: CopyLimits = { partsAboveBytes: SHIPPED.partsAboveBytes / 16, partBytes: SHIPPED.partBytes / 16 };

export async function benchCalls(world: CopyWorld): Promise<Figure[]> {
  const figures: Figure[] = [];
  const count = async (what: string, objects: DroppedObject[], limits = SHIPPED) => {
    const calls = new Map<string, number>();
    const unsubscribe = world.faults.observe(({ phase, service }) => {
      if (phase === 'before') calls.set(service, (calls.get(service) ?? 0) + 1);
    });
    await world.encrypt(objects, limits);
    unsubscribe();
    const others = [...calls].filter(([service]) => service !== 's3' && service !== 'dynamodb');
    for (const [name, value] of [['S3', calls.get('s3') ?? 0], ['table', calls.get('dynamodb') ?? 0], ...others] as const) {
      figures.push({ scenario: SCENARIO, what: `${what}: ${name}`, unit: 'calls an object', value: value / objects.length });
    }
  };

  const small = await world.drop('calls/small', SMALL_BYTES);
  await count('10 KiB, new', [small]);
  await count('10 KiB, its event again', [small]);
  await count('10 KiB, overwritten', [{ ...small, order: 3 }]);
  await count('10 KiB, superseded', [{ ...small, order: 2 }]);
  const many = await Promise.all(Array.from({ length: BATCH }, (_, index) => world.drop(`calls/batch-${index}`, SMALL_BYTES)));
  await count(`10 KiB, ${BATCH} new ones in a batch`, many);
  await count(`10 KiB, ${BATCH} events again in a batch`, many);
  for (const parts of [4, 5, 16, 64]) {
    const source = await world.drop(`calls/${parts}-parts`, parts * LOWERED.partBytes);
    await count(`${(parts * SHIPPED.partBytes) / MIB} MiB (by 16 less), new`, [source], LOWERED);
    await world.remove(source.key);
  }
  return figures;
}
