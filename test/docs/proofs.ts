/** What a document says it is proven by: tests, by file and title. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../..');

export interface Proof {
  file: string;
  title: string;
}

/** Links to a test file with titles in quotes behind each. @param page a document below docs/ */
export function proofsOf(page: string): Proof[] {
  return [...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\): ("[^"]+"(?:, "[^"]+")*)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title })),
  );
}

/** The test files that a document below docs/ links. */
export function linkedTests(page: string): Set<string> {
  return new Set([...page.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = '']) => file));
}

export function stands({ file, title }: Proof): boolean {
  return inSource(title).test(readFileSync(join(PROJECT, file), 'utf8'));
}

/** As the source has it: the whole first argument of a test. `…` stands for what the source computes. */
export function inSource(title: string): RegExp {
  const text = title.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`\\(\\s*(['"\`])${text.join('.+?')}\\1`);
}
