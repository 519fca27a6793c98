/** The page about the API names tests that there are, and every status and query parameter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OBJECT_QUERY } from '../../src/http/object-request.ts';
import { linkedTests, proofsOf, stands } from './proofs.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
const proofs = proofsOf(page);

describe('the page about the API', () => {
  it('names titles behind every test file that it links', () => {
    expect(new Set(proofs.map(({ file }) => file))).toEqual(linkedTests(page));
  });

  it.each(proofs)('$file has "$title"', (proof) => {
    expect(stands(proof)).toBe(true);
  });

  it.each(OBJECT_QUERY)('knows the query parameter %s', (name) => {
    expect(page).toMatch(new RegExp(`[\`?]${name}`));
  });
});
