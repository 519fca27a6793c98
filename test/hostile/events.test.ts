/** Whatever stands in an event, the parsers understand it or say by name that they do not; nothing passes unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SealdropError } from '../../src/errors.ts';
import {
  continuationBody,
  type EventMessage,
  type ObjectRef,
  type ObjectWritten,
  parseIngestEvent,
  parseTargetEvents,
  type TargetEvent,
} from '../../src/events/index.ts';
import { event, eventNames } from '../fixtures/events.ts';
import { bridged, notification, queued } from '../fixtures/messages.ts';
import { objectRef } from '../fixtures/objects.ts';
import { hostileJson } from './arbitraries.ts';
import { mutated, somewhere } from './mutations.ts';

const CONTINUATION: unknown = JSON.parse(
  continuationBody(objectRef({ requester: 'AWS:AROAEXAMPLE:uploader' }), { uploadId: 'upload-1', copiedParts: 3, parts: 9 }),
);

const DOCUMENTS = [
  ...['.', 'broken', 'keys'].flatMap((folder) => eventNames(folder).map((name) => event(`${folder}/${name}`))),
  CONTINUATION,
  queued([CONTINUATION]),
];

const documents = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...DOCUMENTS).chain(mutated) },
  { weight: 1, arbitrary: hostileJson },
  { weight: 1, arbitrary: hostileJson.map((body) => queued([body])) },
);

/** What a queue takes in a text: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const SENDABLE = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u;

/** No more than a log line should hold, however long the event's own words are. */
const LONGEST_MESSAGE = 3_000;

type Content = EventMessage<ObjectRef | TargetEvent>['content'];

function expectUnderstoodOrRefused(
  messages: EventMessage<ObjectRef | TargetEvent>[],
  document: unknown,
  announces: (name: string) => boolean,
) {
  for (const { body, receipt, content } of messages) {
    if (receipt === null) expect(body).toMatch(SENDABLE);
    if ('error' in content) expectRefused(content.error);
    else content.items.forEach(expectPossible);
  }
  const contents = messages.map(({ content }) => content);
  if (announcement(document, announces)) expect(contents.some(tells), 'an event was swallowed').toBe(true);
}

const tells = (content: Content) => 'error' in content || content.items.length > 0;

function announcement(document: unknown, announces: (name: string) => boolean): boolean {
  return somewhere(document, (name, value) => {
    if (typeof value !== 'string') return false;
    return name === 'eventName' ? announces(value.replace(/^s3:/, '')) : name === 'detail-type' && announces(value);
  });
}

function expectRefused(error: SealdropError) {
  expect(error).toMatchObject({ name: 'SealdropError', code: 'malformed-event', retryable: false });
  expect(error.message.length).toBeLessThan(LONGEST_MESSAGE);
}

/** What tables, headers and other buckets' owners can be asked about. */
function expectPossible({
  bucket,
  key,
  versionId = '',
  etag = '-',
  correlationId,
  ...item
}: Partial<ObjectRef & Omit<ObjectWritten, 'kind'>>) {
  expect(bucket).toMatch(/^[A-Za-z0-9._-]{3,255}$/);
  expectKey(key ?? '');
  if (item.alternativeKey !== undefined) expectKey(item.alternativeKey);
  expect(versionId).toMatch(/^[\x21-\x7e]{0,1024}$/);
  expect(etag).toMatch(/^[\x21-\x7e]{1,256}$/);
  expect(item.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  if (item.sequencer !== undefined) expect(item.sequencer).toMatch(/^[0-9A-Fa-f]{1,64}$/);
  // Sort keys of the table, with a time and an action before them: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
  if (item.uniqueId !== undefined) expect(Buffer.byteLength(item.uniqueId)).toBeLessThan(900);
  for (const text of [correlationId, item.requester, item.principal, item.sourceIpAddress, item.operation, item.uniqueId]) {
    expect(text === undefined || (text !== '' && text.isWellFormed() && text.length <= 1024), text).toBe(true);
  }
  if (item.size !== undefined) expect(Number.isSafeInteger(item.size) && item.size >= 0).toBe(true);
}

function expectKey(key: string) {
  expect(key).not.toBe('');
  expect(key.isWellFormed()).toBe(true);
  expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
  expect(key).not.toMatch(/^(\.\.(\/|$))/);
}

const TEST_EVENT = { Service: 'Amazon S3', Event: 's3:TestEvent' };

const CREATED = (name: string) => name.startsWith('ObjectCreated:') || name === 'Object Created';
const CHANGED = (name: string) => /^(ObjectCreated|ObjectRemoved|LifecycleExpiration):/.test(name);

describe('parseIngestEvent', () => {
  it('understands any document, or says that it does not, and swallows no event', () => {
    const seen = { items: 0, nothing: 0, error: 0 };
    fc.assert(
      fc.property(documents, (document) => {
        const messages = parseIngestEvent(document);
        for (const { content } of messages) seen['error' in content ? 'error' : content.items.length > 0 ? 'items' : 'nothing'] += 1;
        expectUnderstoodOrRefused(messages, document, CREATED);
      }),
      { numRuns: 4_000 },
    );
    // Otherwise it was always the same branch that was looked at.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });
});

describe('parseTargetEvents', () => {
  it('understands any document, or says that it does not, and swallows no event', () => {
    fc.assert(
      fc.property(documents, (document) => expectUnderstoodOrRefused(parseTargetEvents(document), document, CHANGED)),
      { numRuns: 3_000 },
    );
  });
});

describe.each([
  ['parseIngestEvent', parseIngestEvent],
  ['parseTargetEvents', parseTargetEvents],
])('%s', (_name, parseEvents) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const refused = [{ content: { error: { code: 'malformed-event' } } }];

  it.each([1_000, 100_000, 500_000])('refuses lists in lists, %i deep, straight or from a queue', (depth) => {
    expect(parseEvents(JSON.parse(nested(depth)))).toMatchObject(refused);
    expect(parseEvents(queued([nested(depth)]))).toMatchObject(refused);
  });

  it('refuses an envelope in an envelope for as long as a message can be', () => {
    let body = JSON.stringify(event('s3-put'));
    while (body.length < 1024 * 1024) body = JSON.stringify({ Type: 'Notification', TopicArn: 'arn', Message: body });
    expect(parseEvents(queued([body]))).toMatchObject([{ content: { items: [{}] } }]);
    expect(parseEvents(queued([body.replaceAll('ObjectCreated', 'ObjectTagging')]))).toMatchObject([{ content: { items: [] } }]);
    expect(parseEvents(queued([body.replaceAll('ObjectCreated', '')]))).toMatchObject(refused);
  });

  it('takes thousands of records in a message, and a message of nothing but spaces', () => {
    const many = notification(...Array.from({ length: 3_000 }, (_, index) => ({ key: `many/${index}` })));
    const [message, blank] = parseEvents(queued([many, ' '.repeat(1024 * 1024)]));
    expect('items' in (message?.content ?? {}) && message?.content).toHaveProperty('items.length', 3_000);
    expect(blank).toMatchObject(refused[0] ?? {});
  });

  it('keeps each message apart where ids come twice', () => {
    const twice = queued([notification({ key: 'a' }), 'not json', notification({ key: 'b' })]);
    for (const record of twice.Records) record.messageId = 'the-same';
    expect(parseEvents(twice).map(({ content }) => Object.keys(content))).toEqual([['items'], ['error'], ['items']]);
  });
});

describe('parseIngestEvent', () => {
  it.each([
    ["S3's test event with records", { ...TEST_EVENT, ...notification({}) }],
    ["S3's test event that is EventBridge's too", { ...TEST_EVENT, ...bridged({}) }],
    ['an EventBridge event with records', { ...bridged({}), ...notification({}) }],
    ['an EventBridge event with no records', { ...bridged({}), Records: [] }],
    ['a continuation with records', { ...Object(CONTINUATION), ...notification({}) }],
    ['an envelope with records', { Type: 'Notification', TopicArn: 'arn', Message: '{}', ...notification({}) }],
  ])('takes no half of %s', (_what, document) => {
    for (const sent of [document, queued([document])]) {
      expect(parseIngestEvent(sent)).toMatchObject([{ content: { error: { code: 'malformed-event' } } }]);
    }
  });

  it('keeps the neighbours of a record that no queue sends', () => {
    const batch = queued([notification({ key: 'a' }), notification({ key: 'b' })]);
    const messages = parseIngestEvent({ Records: [...batch.Records, { eventSource: 'aws:sqs', body: 7 }] });
    expect(messages.map(({ receipt, content }) => [receipt?.messageId, Object.keys(content)])).toEqual([
      ['message-0', ['items']],
      ['message-1', ['items']],
      [undefined, ['error']],
    ]);
  });

  it.each(['', 'many', '-1', '1.5', '1e999', 'NaN'])('takes a receive count of "%s" for the first delivery', (count) => {
    const batch = queued([notification({})]);
    for (const { attributes } of batch.Records) attributes.ApproximateReceiveCount = count;
    expect(parseIngestEvent(batch)[0]?.receipt?.receiveCount).toBe(1);
  });
});
