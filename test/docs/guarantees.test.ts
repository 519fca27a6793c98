/** The page of guarantees names tests that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inSource, linkedTests, proofsOf, stands } from './proofs.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const PROMISES = 8;

const page = readFileSync(join(DOCS, 'guarantees.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(DOCS, '../package.json'), 'utf8'));
const promises = page
  .split(/^## /m)
  .filter((section) => /^\d\. /.test(section))
  .map((section) => [section.split('\n')[0] ?? '', section] as const);

const proofs = proofsOf(page);

describe('the page of guarantees', () => {
  it('has a section for each promise', () => {
    expect(promises.map(([title]) => Number.parseInt(title, 10))).toEqual(Array.from({ length: PROMISES }, (_, index) => index + 1));
  });

  it.each(promises)('%s: says how, its limits and its proof', (_, section) => {
    for (const part of ['How', 'Limits', 'Proof']) expect(section).toContain(`**${part}.**`);
    expect(section.split('**Proof.**')[1]).toMatch(/\]\(\.\.\/test\/.+\.test\.ts\): "/);
  });

  it('names a file in every line of proof that it links, and titles behind it', () => {
    expect(new Set(proofs.map(({ file }) => file))).toEqual(linkedTests(page));
  });

  it.each(proofs)('$file has "$title"', (proof) => {
    expect(stands(proof)).toBe(true);
  });

  it.each(['npm test', 'npm run chaos'])('names %s, which there is', (command) => {
    expect(page).toContain(`\`${command}`);
    expect(scripts).toHaveProperty(command.split(' ').at(-1) ?? '');
  });
});

it('a proof that is not there would be seen', () => {
  expect("it('says 403', () =>").toMatch(inSource('says 403'));
  expect("test.each(x)(\n  'says 403',").toMatch(inSource('says 403'));
  expect("// says 403, it's said").not.toMatch(inSource('says 403'));
  expect("it('says 403 twice', () =>").not.toMatch(inSource('says 403'));
  expect('it(`in 5 rounds`, () =>').toMatch(inSource('in … rounds'));
});
