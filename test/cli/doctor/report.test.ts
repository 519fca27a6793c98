import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { awsCommand } from '../../../cli/doctor/aws-command.ts';
import type { Examination } from '../../../cli/doctor/examine.ts';
import { error, type Finding, warning, worst } from '../../../cli/doctor/finding.ts';
import { jsonFailure, jsonReport, textReport } from '../../../cli/doctor/report.ts';
import { healthyWorld } from './world.ts';

const disabled = error('key.disabled', {
  resource: 'key',
  what: 'the key is disabled',
  nextStep: 'Enable it.',
  command: 'aws kms enable-key',
});
const waiting = warning('ingest-dead-letters.waiting', { resource: 'queue', what: '2 messages wait', nextStep: 'Look.' });
const proof = { encryption: 'sse-s3', key: 'a', ms: 1234, downloaded: true };

function examination(findings: Finding[], change: Partial<Examination> = {}): Examination {
  return { examined: [{ area: 'keys', findings, held: [] }], proofs: [], skipped: [], ...change };
}

const { context } = healthyWorld();
const text = (given: Examination) => stripVTControlCharacters(textReport(context, given));

describe('the text', () => {
  test('ends with what was proven where all is well', () => {
    const proofs = [proof, { ...proof, encryption: 'sse-c' }];
    const well = examination([], { proofs, examined: [{ area: 'round trip', findings: [], held: ['sse-s3', 'sse-c'] }] });
    const lines = text(well).split('\n');
    expect(lines).toContain('✓ round trip  sse-s3, sse-c in 1.2 s');
    expect(lines.at(-1)).toBe(
      'Well: 2 of 2 encryptions were tried with a real object, which was stored as the policy says, and came back through the API byte for byte.',
    );
  });

  test('does not say that anything was proven when nothing was sent', () => {
    expect(text(examination([])).split('\n').at(-1)).toBe('Well, as far as settings tell: keys. No object was sent.');
  });

  test('counts what it found, shows the worst, and says what to do', () => {
    const shown = text(examination([waiting, disabled]));
    expect(shown).toContain('✗ keys  1 error, 1 warning');
    expect(shown).toContain('✗ key.disabled  key\n  the key is disabled\n  → Enable it.\n    aws kms enable-key');
    expect(shown).toContain('! ingest-dead-letters.waiting  queue');
    expect(shown.split('\n').at(-1)).toBe('1 error, 1 warning.');
  });

  test('says what was not tried', () => {
    expect(text(examination([], { skipped: ['the API'] }))).toContain('– not tried: the API');
  });
});

describe('the document', () => {
  test('has every finding with a stable id, and is not ok with any', () => {
    const document = JSON.parse(jsonReport(context, examination([waiting])));
    expect(document).toMatchObject({ version: 1, ok: false, stack: { name: 'sealdrop-prod' }, areas: [{ area: 'keys', ok: false }] });
    expect(document.findings).toEqual([JSON.parse(JSON.stringify(waiting))]);
    expect(JSON.parse(jsonReport(context, examination([]))).ok).toBe(true);
  });

  test('is one document too when nothing could be looked at', () => {
    expect(JSON.parse(jsonFailure('no stack'))).toEqual({ version: 1, ok: false, error: 'no stack', findings: [] });
  });
});

test.each([
  [[], null],
  [[waiting], 'warning'],
  [[waiting, disabled, waiting], 'error'],
] as const)('of %j the worst is %s', (findings, severity) => {
  expect(worst([...findings])).toBe(severity);
});

test('a command survives the shell', () => {
  expect(awsCommand('s3api', 'put', { bucket: 'a-b.c', on: true, json: { a: "it's $HOME" } })).toBe(
    `aws s3api put --bucket a-b.c --on --json '{"a":"it'\\''s $HOME"}'`,
  );
});
