import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../cli/dead-letters/read-through.ts';
import { readArguments } from '../../../cli/failures/arguments.ts';
import { createGroups } from '../../../cli/failures/groups.ts';
import { jsonReport, textReport } from '../../../cli/failures/report.ts';
import { STACK } from '../doctor/world.ts';

const ALL: Reading = { seen: 1, waiting: 1, hidden: 0, ended: 'empty' };

function failures({ key = 'a.txt', cause = 'why', reading = ALL, args = [] as string[] } = {}) {
  const groups = createGroups();
  if (reading.seen > 0)
    groups.add({
      messageId: 'm',
      receiptHandle: 'r',
      body: '{}',
      code: 'kms-key-disabled',
      cause,
      nextStep: 'Enable it.',
      sentMs: 0,
      objects: [{ bucket: 'b', key }],
      states: ['s'],
      identity: 's',
      shortened: false,
    });
  return { asked: readArguments(args, {}), stack: STACK, groups, reading };
}

const text = (...given: Parameters<typeof failures>) => stripVTControlCharacters(textReport(failures(...given)));

describe('the report of failures', () => {
  test('says code, how many, since when, which, why and what to do', () => {
    const said = text();
    for (const part of ['kms-key-disabled  1  1970-01-01T00:00:00.000Z', 'files: a.txt', '  why', '→ Enable it.', 'sealdrop redrive'])
      expect(said).toContain(part);
  });

  test('does nothing to a terminal, whatever a key or a cause holds', () => {
    const said = textReport(failures({ key: 'a\u001b[2Jb\nc\u202Ed', cause: 'e\r\u009bf' }));
    expect(said).toContain('a\\u{1b}[2Jb\\u{a}c\\u{202e}d');
    expect(said).toContain('e\\u{d}\\u{9b}f');
  });

  test('of no letters says so, and offers nothing', () => {
    const said = text({ reading: { ...ALL, seen: 0, waiting: 0 } });
    expect(said).toContain('No dead letters.');
    expect(said).not.toContain('redrive');
  });

  test('of the target bucket does not offer a redrive', () => {
    expect(text({ args: ['--queue', 'target-events'] })).not.toContain('redrive');
  });

  test.each<[title: string, reading: Reading, said: string]>([
    ['others were counted', { ...ALL, waiting: 5 }, 'about 4 more were counted'],
    ['somebody else has some', { ...ALL, hidden: 2 }, 'about 2 were hidden'],
    ['time ended', { ...ALL, waiting: 5, ended: 'time' }, 'about 4, were too many'],
  ])('says plainly that it did not see all: %s', (_, reading, said) => {
    expect(text({ reading })).toContain(`Not all was seen: `);
    expect(text({ reading })).toContain(said);
    expect(JSON.parse(jsonReport(failures({ reading })))).toMatchObject({ complete: false, ok: false });
  });
});

describe('the arguments of failures', () => {
  test('have defaults', () => {
    expect(readArguments([], {})).toEqual({ help: false, stackName: 'sealdrop-dev', region: undefined, json: false, queue: 'ingest' });
  });

  test('name a stack by its stage or its whole name', () => {
    expect(readArguments(['--stage', 'prod'], { SEALDROP_STACK: 'x' }).stackName).toBe('sealdrop-prod');
    expect(readArguments(['--stack', 'ours'], { SEALDROP_STACK: 'x' }).stackName).toBe('ours');
    expect(() => readArguments(['--stack', 'ours', '--stage', 'prod'], {})).toThrow('one of them');
  });

  test('refuse another queue by name', () => {
    expect(() => readArguments(['--queue', 'all'], {})).toThrow('--queue all');
  });
});
