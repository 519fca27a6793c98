import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CopyLimits, MAX_OBJECT_BYTES, type PartsPlan, partRange, planCopy } from '../../src/copy/plan.ts';

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

const LIMITS: CopyLimits = { partsAboveBytes: 256 * MIB, partBytes: 64 * MIB };
/** What S3 takes, written down here once more: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const S3 = { copy: 5 * GIB, part: { least: 5 * MIB, most: 5 * GIB }, parts: 10_000, object: 53_687_091_200_000 };

const ONE_CALL = { action: 'copy-object' };

/** Fails where the object goes by one call. */
function partsOf(size: number, limits = LIMITS): PartsPlan {
  const plan = planCopy(size, limits);
  if (plan.action !== 'parts') throw new Error(`${size} bytes are copied by ${plan.action}`);
  return plan;
}

describe('planCopy', () => {
  it.each([0, 1, 256 * MIB - 1, 256 * MIB])('moves %d bytes with one call', (size) => {
    expect(planCopy(size, LIMITS)).toEqual(ONE_CALL);
  });

  it('moves one byte more than the limit in parts', () => {
    expect(planCopy(256 * MIB + 1, LIMITS)).toEqual({ action: 'parts', size: 256 * MIB + 1, partBytes: 64 * MIB, parts: 5 });
  });

  it.each([
    ['1 GiB', GIB, 64 * MIB, 16],
    ['64,000 MiB', 64_000 * MIB, 64 * MIB, 1_000],
    ['64,000 MiB and a byte', 64_000 * MIB + 1, 128 * MIB, 501],
    ['1 TiB', TIB, 1_088 * MIB, 964],
    ['5,000 GiB', 5_000 * GIB, 5 * GIB, 1_000],
    ['10 TiB', 10 * TIB, 5 * GIB, 2_048],
    ['48.8 TiB less a byte', S3.object - 1, 5 * GIB, 10_000],
    ['48.8 TiB', S3.object, 5 * GIB, 10_000],
  ])('cuts %s into parts of %3$d', (_, size, partBytes, parts) => {
    expect(planCopy(size, LIMITS)).toEqual({ action: 'parts', size, partBytes, parts });
  });

  it('refuses a byte more than S3 stores, for good, and says how much it was', () => {
    expect(MAX_OBJECT_BYTES).toBe(S3.object);
    expect(() => planCopy(S3.object + 1, LIMITS)).toThrow(
      expect.objectContaining({ code: 'too-large', retryable: false, message: expect.stringContaining(String(S3.object + 1)) }),
    );
  });

  it('makes no upload of a single part where one call is enough', () => {
    const limits = { partsAboveBytes: 10 * MIB, partBytes: 64 * MIB };
    expect(planCopy(64 * MIB, limits)).toEqual(ONE_CALL);
    expect(planCopy(64 * MIB + 1, limits)).toMatchObject({ parts: 2 });
  });

  it.each([
    { checksum: true, description: false },
    { checksum: false, description: true },
  ])('moves what parts would lose (%j) with one call, up to the largest that there is', (losses) => {
    expect(planCopy(5 * GIB, LIMITS, losses)).toEqual(ONE_CALL);
    expect(planCopy(5 * GIB + 1, LIMITS, losses)).toMatchObject({ action: 'parts' });
  });

  it('moves above 5 GiB in parts whatever the limit says', () => {
    const limits = { partsAboveBytes: TIB, partBytes: 5 * GIB };
    expect(planCopy(5 * GIB, limits)).toEqual(ONE_CALL);
    expect(planCopy(5 * GIB + 1, limits)).toMatchObject({ action: 'parts', parts: 2 });
  });
});

/** Sizes at random on every scale, and around all that S3 and the limits of this run make a boundary. */
const limitsAndSize = fc
  .record({
    partsAboveBytes: fc.oneof(fc.constant(LIMITS.partsAboveBytes), fc.integer({ min: 1, max: S3.copy })),
    partBytes: fc.oneof(
      fc.constantFrom(S3.part.least, LIMITS.partBytes, S3.part.most),
      fc.integer({ min: S3.part.least, max: S3.part.most }),
    ),
  })
  .chain((limits) => {
    const edges = [1, limits.partsAboveBytes, limits.partBytes, 1_000 * limits.partBytes, S3.copy, 1_000 * S3.part.most, S3.object];
    const size = fc.oneof(
      fc.tuple(fc.constantFrom(...edges), fc.constantFrom(-1, 0, 1)).map(([edge, step]) => Math.min(S3.object, edge + step)),
      fc.integer({ min: 0, max: 45 }).chain((power) => fc.integer({ min: 0, max: Math.min(S3.object, 2 ** (power + 1)) })),
    );
    return fc.record({ limits: fc.constant(limits), size });
  });

describe('every plan', () => {
  it('tiles the object, within what S3 takes', () => {
    fc.assert(
      fc.property(limitsAndSize, ({ limits, size }) => {
        const plan = planCopy(size, limits);
        if (plan.action === 'copy-object') {
          expect(size).toBeLessThanOrEqual(S3.copy);
          return;
        }
        expect(plan.parts).toBeGreaterThan(1);
        expect(plan.parts).toBeLessThanOrEqual(S3.parts);
        expect(plan.partBytes).toBeGreaterThanOrEqual(limits.partBytes);
        expect(plan.partBytes).toBeLessThanOrEqual(S3.part.most);
        let next = 0;
        for (let number = 1; number <= plan.parts; number += 1) {
          const { first, last, bytes } = partRange(plan, number);
          // `expect` is too slow for thousands of parts a plan.
          if (first !== next || bytes !== last - first + 1 || bytes < 1) throw new Error(`part ${number} is ${first} to ${last}`);
          if (number < plan.parts && bytes !== plan.partBytes) throw new Error(`part ${number} has ${bytes} bytes`);
          next = last + 1;
        }
        expect(next).toBe(size);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has at most a thousand parts while parts can grow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 256 * MIB + 1, max: 1_000 * S3.part.most }), (size) => {
        expect(partsOf(size).parts).toBeLessThanOrEqual(1_000);
      }),
    );
  });
});
