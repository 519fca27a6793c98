import { describe, expect, test } from 'vitest';
import { readIngestLetter, readTargetLetter } from '../../../cli/dead-letters/letter.ts';
import { event } from '../../fixtures/events.ts';
import { bridged } from '../../fixtures/messages.ts';
import { bodyOf } from './fake-queues.ts';

const attributes = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
const letter = (Body: string, texts: Record<string, string> = {}) =>
  readIngestLetter({
    MessageId: 'm',
    ReceiptHandle: 'r',
    Body,
    Attributes: { SentTimestamp: '1000' },
    MessageAttributes: attributes(texts),
  });

describe('a dead letter', () => {
  test('says what the function said of it, and what it is about', () => {
    const body = bodyOf({ key: 'a b/ü.txt' });
    const found = letter(body, { code: 'kms-key-disabled', cause: 'why', nextStep: 'as an older release said' });
    expect(found).toMatchObject({ code: 'kms-key-disabled', cause: 'why', sentMs: 1000, body, objects: [{ key: 'a b/ü.txt' }] });
    expect(found.nextStep).toContain('Enable the KMS key');
  });

  test('of another release keeps its own next step', () => {
    expect(letter(bodyOf({ key: 'a' }), { code: 'of-tomorrow', cause: 'c', nextStep: 'n' })).toMatchObject({
      code: 'of-tomorrow',
      nextStep: 'n',
    });
  });

  test('without a word is of a function that died', () => {
    expect(letter(bodyOf({ key: 'a' }))).toMatchObject({ code: 'unknown', cause: 'the function died over it; see its logs' });
  });

  test('that is no event and has no cause is malformed', () => {
    expect(letter('no JSON')).toMatchObject({ code: 'malformed-event', refs: [], objects: [] });
  });

  test('whose text lost its end names its object by its attributes', () => {
    expect(letter('{"Records":[', { code: 'unknown', bucket: 'b', key: 'k', shortenedFrom: '1000000 bytes' })).toMatchObject({
      shortened: true,
      objects: [{ bucket: 'b', key: 'k' }],
      refs: [],
    });
  });

  test('and its double are the same, whatever brought them', () => {
    const direct = letter(bodyOf({ key: 'a.txt', sequencer: '00ab' }));
    const byBridge = letter(JSON.stringify(bridged({ key: 'a.txt', sequencer: 'AB' })));
    expect(byBridge.identity).toBe(direct.identity);
  });

  test.each([
    ['another state', { key: 'a.txt', sequencer: 'AC' }],
    ['another key', { key: 'b.txt', sequencer: 'AB' }],
    ['another bucket', { key: 'a.txt', sequencer: 'AB', bucket: 'other' }],
  ])('and one of %s are not', (_, other) => {
    expect(letter(bodyOf(other)).identity).not.toBe(letter(bodyOf({ key: 'a.txt', sequencer: 'AB' })).identity);
  });

  test('of several objects is the same in any order', () => {
    expect(letter(bodyOf({ key: '', keys: ['a', 'b'] })).identity).toBe(letter(bodyOf({ key: '', keys: ['b', 'a'] })).identity);
  });

  test('of the target bucket names what was written or deleted there', () => {
    const { Records } = event('target-delete-marker') as { Records: { body: string }[] };
    expect(readTargetLetter({ Body: Records[0]?.body }).objects).toMatchObject([{ key: expect.any(String) }]);
  });
});
