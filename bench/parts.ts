/**
 * Large copies in parts against one CopyObject, on an S3 that takes its time as AWS's does. Only waiting shows what parallelism gains:
 * the sandbox copies with the cores of this machine, which nobody else's S3 has as few of.
 */
import type { FaultPlan } from '../sandbox/index.ts';
import type { CopyLimits } from '../src/copy/plan.ts';
import type { CopyWorld } from './copy-world.ts';
import type { DroppedObject } from './ingest-messages.ts';
import { compared, type Figure } from './measure.ts';

const MIB = 1024 ** 2;
const SCENARIO = 'parts';

/** "roughly 100–200 milliseconds": https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html */
const S3_LATENCY_MS = 150;
/**
 * Of one request: some 15 of them fill 10 Gbit/s, says
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html. That is said of reads; how fast S3 copies
 * is said nowhere (unverified).
 */
const S3_BYTES_PER_SECOND = 85e6;
/** "single-digit millisecond": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html */
const TABLE_LATENCY_MS = 5;

/** By so much less of everything that is counted in bytes, the rate as well: the times stay, and the sandbox's own work counts for nothing. */
const SCALE = 64;
/** Of short copies the fastest counts: others on the machine only make them slower. */
const TRIES = 2;

const ONE_CALL: CopyLimits = { partsAboveBytes: Number.POSITIVE_INFINITY, partBytes: MIB };
/** `partMiB` in serverless.yml. */
const SHIPPED_PART_MIB = 64;
const SIZES_MIB = [128, 192, 256, 512, 1024];
const PART_SIZES_MIB = [16, 32, 128, 256];

/** @param large 4 GiB as well, which one call alone copies for a minute, and which wants 13 GiB of disk */
export async function benchParts(world: CopyWorld, large: boolean): Promise<Figure[]> {
  const figures: Figure[] = [];
  const full = large ? [1024, 4096] : [1024];
  figures.push(await partsAgainstOneCall(world, 64, SHIPPED_PART_MIB / 4, 1));
  for (const sizeMiB of full) figures.push(await partsAgainstOneCall(world, sizeMiB, SHIPPED_PART_MIB, 1));
  for (const sizeMiB of SIZES_MIB) figures.push(await partsAgainstOneCall(world, sizeMiB, SHIPPED_PART_MIB, SCALE));
  for (const sizeMiB of [1024, 4096]) figures.push(...(await partSizes(world, sizeMiB)));
  return figures;
}

/** Both ways with the same source, one after the other. */
async function partsAgainstOneCall(world: CopyWorld, sizeMiB: number, partMiB: number, scale: number): Promise<Figure> {
  const source = await world.drop(`parts/${sizeMiB}-${scale}`, (sizeMiB * MIB) / scale);
  const copy = copier(world, source, scale);
  const oneCall = await copy(ONE_CALL);
  const inParts = await copy(partsOf(partMiB, scale));
  await world.remove(source.key);
  return compared(SCENARIO, describe(sizeMiB, partMiB, scale), 's', inParts, { what: 'one CopyObject', value: oneCall });
}

async function partSizes(world: CopyWorld, sizeMiB: number): Promise<Figure[]> {
  const source = await world.drop(`sizes/${sizeMiB}`, (sizeMiB * MIB) / SCALE);
  const copy = copier(world, source, SCALE);
  const shipped = await copy(partsOf(SHIPPED_PART_MIB, SCALE));
  const other = { what: `parts of ${SHIPPED_PART_MIB} MiB`, value: shipped };
  const figures: Figure[] = [];
  for (const partMiB of PART_SIZES_MIB) {
    figures.push(compared(SCENARIO, describe(sizeMiB, partMiB, SCALE), 's', await copy(partsOf(partMiB, SCALE)), other));
  }
  await world.remove(source.key);
  return figures;
}

/** Seconds of a copy; each is one of the next state, so that none is a duplicate. */
function copier(world: CopyWorld, source: DroppedObject, scale: number): (limits: CopyLimits) => Promise<number> {
  let order = 0;
  return async (limits) => {
    const seconds: number[] = [];
    world.faults.set(asOnAws(scale));
    try {
      while (seconds.length < (scale === 1 || limits === ONE_CALL ? 1 : TRIES)) {
        order += 1;
        seconds.push(await world.encrypt([{ ...source, order }], limits));
      }
    } finally {
      world.faults.clear();
    }
    return Math.min(...seconds);
  };
}

function asOnAws(scale: number): FaultPlan {
  const by = { caller: 'administrator' };
  const bytes = { kind: 'slow', bytesPerSecond: S3_BYTES_PER_SECOND / scale } as const;
  return {
    rules: [
      { ...by, service: 's3', fault: { kind: 'slow', latencyMs: S3_LATENCY_MS } },
      { ...by, service: 's3', operation: ['CopyObject', 'UploadPartCopy'], fault: bytes },
      { ...by, service: 'dynamodb', fault: { kind: 'slow', latencyMs: TABLE_LATENCY_MS } },
    ],
  };
}

function partsOf(partMiB: number, scale: number): CopyLimits {
  const partBytes = (partMiB * MIB) / scale;
  return { partsAboveBytes: partBytes, partBytes };
}

function describe(sizeMiB: number, partMiB: number, scale: number): string {
  const size = sizeMiB < 1024 ? `${sizeMiB} MiB` : `${sizeMiB / 1024} GiB`;
  const small = scale === 1 ? '' : `, all bytes by ${scale} less`;
  return `${size} in ${Math.ceil(sizeMiB / partMiB)} parts of ${partMiB} MiB${small}`;
}
