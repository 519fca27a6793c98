/** Links within the documents lead somewhere. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');
const documents = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: PROJECT })].sort();

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');

/** As GitHub makes them: https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe.each(documents)('%s', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);

  it('links to files and headings that there are', () => {
    for (const link of links) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      expect(existsSync(join(PROJECT, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(target)), link).toContain(anchor);
    }
  });
});

it('the index of decisions has a line for every page, and no other', () => {
  const listed = [...read('docs/decisions/README.md').matchAll(/^\| \[([\w-]+)\]\((.+?)\) \|/gm)].map(([, name, path]) => [name, path]);
  const pages = globSync('docs/decisions/*.md', { cwd: PROJECT })
    .map((path) => path.slice('docs/decisions/'.length, -'.md'.length))
    .filter((name) => name !== 'README');
  expect(listed.toSorted()).toEqual(pages.map((name) => [name, `${name}.md`]).toSorted());
});
