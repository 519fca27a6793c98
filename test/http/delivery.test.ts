import { describe, expect, it } from 'vitest';
import { type Delivery, decideDelivery } from '../../src/http/delivery.ts';
import type { EncryptionMode } from '../../src/policy/schema.ts';

const LIMITS = { maxStreamedBytes: 200, redirectAboveBytes: 50 };
const ALLOWED = { redirect: true, transit: false };
const TRANSIT = { redirect: true, transit: true };
const NOTHING = { redirect: false, transit: false };

const decide = (mode: EncryptionMode, length: number, rule = ALLOWED, redirects = true, versionId: string | undefined = 'v1') =>
  decideDelivery({ mode, length, versionId }, rule, redirects, LIMITS);

describe('decideDelivery', () => {
  /** Bytes → how they travel: by default; if the caller takes no redirects; if policy allows none; if policy allows transit. */
  const TABLE: Record<EncryptionMode, [length: number, byDefault: Delivery, never: Delivery, refused: Delivery, transit: Delivery][]> = {
    'sse-s3': [
      [0, 'stream', 'stream', 'stream', 'stream'],
      [50, 'stream', 'stream', 'stream', 'stream'],
      [51, 'redirect', 'stream', 'stream', 'redirect'],
      [200, 'redirect', 'stream', 'stream', 'redirect'],
      [201, 'redirect', 'use-ranges', 'use-ranges', 'redirect'],
    ],
    'sse-kms': [
      [50, 'stream', 'stream', 'stream', 'stream'],
      [51, 'redirect', 'stream', 'stream', 'redirect'],
      [201, 'redirect', 'use-ranges', 'use-ranges', 'redirect'],
    ],
    'dsse-kms': [
      [50, 'stream', 'stream', 'stream', 'stream'],
      [51, 'redirect', 'stream', 'stream', 'redirect'],
      [201, 'redirect', 'use-ranges', 'use-ranges', 'redirect'],
    ],
    'sse-c': [
      [50, 'stream', 'stream', 'stream', 'stream'],
      [51, 'stream', 'stream', 'stream', 'stream'],
      [200, 'stream', 'stream', 'stream', 'stream'],
      [201, 'use-ranges', 'use-ranges', 'use-ranges', 'transit'],
    ],
    'cse-kms': [
      [200, 'stream', 'stream', 'stream', 'stream'],
      [201, 'use-ranges', 'use-ranges', 'use-ranges', 'use-ranges'],
    ],
    'cse-aes': [
      [200, 'stream', 'stream', 'stream', 'stream'],
      [201, 'use-ranges', 'use-ranges', 'use-ranges', 'use-ranges'],
    ],
  };
  const cases = Object.entries(TABLE).flatMap(([mode, rows]) => rows.map((row) => [mode as EncryptionMode, ...row] as const));

  it.each(cases)('%s, %d bytes: %s; never redirected: %s; redirects refused: %s; transit allowed: %s', (mode, length, ...expected) => {
    expect([
      decide(mode, length),
      decide(mode, length, ALLOWED, false),
      decide(mode, length, NOTHING),
      decide(mode, length, TRANSIT),
    ]).toEqual(expected);
  });

  it.each(['sse-s3', 'sse-c'] as const)('points to no object under %s that has no version', (mode) => {
    expect(decideDelivery({ mode, length: 201, versionId: undefined }, TRANSIT, true, LIMITS)).toBe('use-ranges');
    expect(decideDelivery({ mode, length: 200, versionId: undefined }, TRANSIT, true, LIMITS)).toBe('stream');
  });

  it('points to no version called null, but to a copy of it', () => {
    expect(decide('sse-kms', 201, TRANSIT, true, 'null')).toBe('use-ranges');
    expect(decide('sse-c', 201, TRANSIT, true, 'null')).toBe('transit');
  });

  it('streams no more than it can where redirects are said to begin later', () => {
    const limits = { maxStreamedBytes: 200, redirectAboveBytes: 1000 };
    expect(decideDelivery({ mode: 'sse-kms', length: 201, versionId: 'v' }, ALLOWED, true, limits)).toBe('redirect');
  });
});
