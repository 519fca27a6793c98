import { expect, test } from 'vitest';
import type { DeadLetter } from '../../../cli/dead-letters/letter.ts';
import { createGroups } from '../../../cli/failures/groups.ts';

function letter(change: Partial<DeadLetter> & { identity: string }): DeadLetter {
  return {
    messageId: 'm',
    receiptHandle: 'r',
    body: '{}',
    code: 'too-large',
    cause: 'c',
    nextStep: 'n',
    sentMs: 1000,
    objects: [{ bucket: 'b', key: change.identity }],
    states: [change.identity],
    shortened: false,
    ...change,
  };
}

function groupsOf(...letters: DeadLetter[]) {
  const groups = createGroups();
  for (const each of letters) groups.add(each);
  return groups;
}

test('letters of one code are a group, with its time, the most frequent first', () => {
  const groups = groupsOf(
    letter({ identity: 'a', code: 'quota', sentMs: 5 }),
    letter({ identity: 'b', sentMs: 30 }),
    letter({ identity: 'c', sentMs: 10 }),
  ).list();
  expect(groups.map(({ code, count, oldestMs, newestMs }) => [code, count, oldestMs, newestMs])).toEqual([
    ['too-large', 2, 10, 30],
    ['quota', 1, 5, 5],
  ]);
});

test('of equal groups the one with the newest letter comes first', () => {
  const groups = groupsOf(letter({ identity: 'a', code: 'quota', sentMs: 5 }), letter({ identity: 'b', sentMs: 6 }));
  expect(groups.list().map(({ code }) => code)).toEqual(['too-large', 'quota']);
});

test.each([
  ['the newer comes last', [1, 2], ['quota', 'kms-key-denied'], 'kms-key-denied'],
  ['the newer comes first', [2, 1], ['quota', 'kms-key-denied'], 'quota'],
  ['both have one code', [1, 2], ['quota', 'quota'], 'quota'],
])('doubles count once, under the code of the newer: %s', (_, times, codes, code) => {
  const groups = groupsOf(...times.map((sentMs, index) => letter({ identity: 'a', sentMs, code: codes[index] ?? '' })));
  expect(groups.list().map((group) => [group.code, group.count, group.objects.length])).toEqual([[code, 1, 1]]);
  expect(groups.doubles()).toBe(1);
});

test('a group keeps a few keys and causes, however many there are', () => {
  const many = Array.from({ length: 1000 }, (_, index) => letter({ identity: `${index}`, cause: `cause ${index}` }));
  const [group] = groupsOf(...many).list();
  expect(group).toMatchObject({ count: 1000, causes: ['cause 0', 'cause 1', 'cause 2'] });
  expect(group?.objects).toHaveLength(5);
});
