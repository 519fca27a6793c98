import { describe, expect, test } from 'vitest';
import { expectationsOf, SERVICES } from './catalogue.ts';
import { Difference, has, refused, same, summary } from './difference.ts';
import { judge, knownDifferences } from './differences.ts';
import { expectation } from './expectation.ts';
import { reportPage } from './report.ts';
import type { Outcome } from './run.ts';

const outcome = (id: string, difference: string | null): Outcome => ({
  expectation: expectation(id, `what ${id} says`, ['sqs-api', 'API_SendMessage'], async () => {}),
  difference,
});
const everything = () => true;
const reasons = (...ids: string[]) => new Map(ids.map((id) => [id, `because of ${id}`]));

describe('the catalogue', () => {
  const all = expectationsOf(SERVICES);

  test('names nothing twice', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  });

  test.each(SERVICES)('%s begins every id with its name and names a page of AWS', (service) => {
    for (const { id, page } of expectationsOf([service])) {
      expect(id).toMatch(new RegExp(`^${service}\\.[a-z0-9.-]+$`));
      expect(page).toMatch(/^https:\/\/docs\.aws\.amazon\.com\/[^ ]+\.html$/);
    }
  });
});

describe('a verdict', () => {
  test('tells explained from unexplained', () => {
    const verdict = judge([outcome('sqs.a', null), outcome('sqs.b', 'no'), outcome('sqs.c', 'no')], reasons('sqs.b'), everything);
    expect(verdict).toMatchObject({ shared: 1, vanished: [], unknown: [] });
    expect(
      verdict.explained.map(
        ({
          outcome: {
            expectation: { id },
          },
          why,
        }) => [id, why],
      ),
    ).toEqual([['sqs.b', 'because of sqs.b']]);
    expect(verdict.unexplained.map(({ expectation: { id } }) => id)).toEqual(['sqs.c']);
  });

  test('finds explanations that are true no longer, or of nothing', () => {
    const verdict = judge([outcome('sqs.a', null)], reasons('sqs.a', 'sqs.gone'), everything);
    expect(verdict).toMatchObject({ vanished: ['sqs.a'], unknown: ['sqs.gone'] });
  });

  test('leaves alone what did not run', () => {
    const verdict = judge([outcome('sqs.a', null)], reasons('s3.a'), (id) => id.startsWith('sqs.'));
    expect(verdict).toMatchObject({ vanished: [], unknown: [] });
  });
});

describe('differences.yml', () => {
  const file = (explained: string) => `other:
  name: Other
  home: https://example.com
  version: 1.0.0
  seen: '2026-11-21'
  explained:
${explained}`;
  const reason = (id: string) => `    - { why: a reason of some length, ids: [${id}] }\n`;

  test('is read by server', () => {
    expect(knownDifferences('other', file(reason('sqs.a')))?.reasons).toEqual(new Map([['sqs.a', 'a reason of some length']]));
    expect(knownDifferences('nobody', file(reason('sqs.a')))).toBeNull();
  });

  test.each([
    ['an id that is explained twice', file(reason('sqs.a') + reason('sqs.a')), 'other explains sqs.a twice'],
    ['a reason that is none', file('    - { why: no, ids: [sqs.a] }'), 'why'],
    ['an unknown word', file('    - { why: a reason of some length, ids: [sqs.a], until: 2027 }'), 'until'],
    ['what is no YAML', 'other: [', 'differences.yml'],
  ])('refuses %s', (_, text, message) => {
    expect(() => knownDifferences('other', text)).toThrow(message);
  });
});

test('the page is the same whatever names and keys a run used', () => {
  const known = { name: 'Other', home: 'https://example.com', version: '1.0.0', seen: '2026-11-21', reasons: reasons('sqs.a') };
  const page = (difference: string) => {
    const outcomes = [outcome('sqs.a', difference)];
    return reportPage({ known, outcomes, verdict: judge(outcomes, known.reasons, everything) });
  };
  const key = (digit: string) => `arn:aws:kms:us-east-1:1:key/${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}`;
  expect(page(`it is ${key('a')}`)).toBe(page(`it is ${key('b')}`));
  expect(page('in conformance-bucket-01234567-89abcdef')).toBe(page('in conformance-bucket-76543210-fedcba98'));
  expect(page('by AIDA4AE5CBEF4C89458E9')).toBe(page('by AIDA9C4B4A00A5C24BD19'));
  expect(page('a | b')).toContain('a \\| b');
  expect(page('one')).not.toBe(page('two'));
});

describe('a difference', () => {
  const refusal = Object.assign(new Error('Access Denied'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });

  test('says what was found and what was expected', () => {
    expect(() => same('the size', 1, 2)).toThrow(new Difference('the size is 1, not 2'));
    expect(() => has('the answer', {}, { ETag: 'x' })).toThrow('the answer\'s ETag is absent, not "x"');
    expect(() => has('the answer', { ETag: 'x' }, { ETag: 'x', Size: undefined })).not.toThrow();
  });

  test('is what is done instead of refused, or refused otherwise', async () => {
    await refused(Promise.reject(refusal), '403 AccessDenied');
    await refused(Promise.reject(refusal), '404 NoSuchKey', '403');
    await expect(refused(Promise.resolve('done'), '403')).rejects.toThrow('done, not refused with 403');
    await expect(refused(Promise.reject(refusal), '404 NoSuchKey')).rejects.toThrow(
      'refused with 403 AccessDenied (Access Denied), not 404 NoSuchKey',
    );
  });

  test('is not what never reached the server', async () => {
    const broken = new Error('connect ECONNREFUSED');
    await expect(refused(Promise.reject(broken), '403')).rejects.toBe(broken);
  });

  test('is told in one line without what cannot be printed', () => {
    expect(summary(new Error('first\nsecond'))).toBe('Error: first');
    expect(() => same('it', 'a\u0000\u001fb', 'c')).toThrow(/^it is "a�+b", not "c"$/);
  });
});
