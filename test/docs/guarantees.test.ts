/** The page of guarantees names tests that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const DOCS = join(import.meta.dirname, '../../docs');
const PROMISES = 8;

const page = readFileSync(join(DOCS, 'guarantees.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(DOCS, '../package.json'), 'utf8'));
const promises = page
  .split(/^## /m)
  .filter((section) => /^\d\. /.test(section))
  .map((section) => [section.split('\n')[0] ?? '', section] as const);

/** A line of proof: a link to a test file, and then titles in quotes. */
const proofs = [...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\): (".*)$/gm)].flatMap(([, file = '', titles = '']) =>
  [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title })),
);

/** As the source has it: the whole first argument of a test. `…` stands for what the source computes. */
function inSource(title: string): RegExp {
  const text = title.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`\\(\\s*(['"\`])${text.join('.+?')}\\1`);
}

describe('the page of guarantees', () => {
  it('has a section for each promise', () => {
    expect(promises.map(([title]) => Number.parseInt(title, 10))).toEqual(Array.from({ length: PROMISES }, (_, index) => index + 1));
  });

  it.each(promises)('%s: says how, its limits and its proof', (_, section) => {
    for (const part of ['How', 'Limits', 'Proof']) expect(section).toContain(`**${part}.**`);
    expect(section.split('**Proof.**')[1]).toMatch(/\]\(\.\.\/test\/.+\.test\.ts\): "/);
  });

  it('names a file in every line of proof that it links, and titles behind it', () => {
    const links = [...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = '']) => file);
    expect(new Set(proofs.map(({ file }) => file))).toEqual(new Set(links));
  });

  it.each(proofs)('$file has "$title"', ({ file, title }) => {
    expect(inSource(title).test(readFileSync(join(DOCS, '..', file), 'utf8'))).toBe(true);
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
