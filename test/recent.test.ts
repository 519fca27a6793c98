import { expect, it } from 'vitest';
import { createRecent } from '../src/recent.ts';

it('forgets what was put longest ago, and nothing before there are too many', () => {
  const recent = createRecent<number>(2);
  recent.put('a', 1);
  recent.put('b', 2);
  recent.put('a', 3);
  expect([recent.get('a'), recent.get('b')]).toEqual([3, 2]);
  recent.put('c', 4);
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([3, undefined, 4]);
});
