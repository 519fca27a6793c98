import { describe, expect, it } from 'vitest';
import { parseIngestEvent } from '../../src/events/index.ts';
import { event, eventNames, withMember } from '../fixtures/events.ts';
import { objectRef } from '../fixtures/objects.ts';

/** Event file → what its message says is wrong. */
const BROKEN: Record<string, RegExp> = {
  'missing-key': /s3\.object\.key/,
  'empty-key': /s3\.object\.key/,
  'missing-etag': /s3\.object\.eTag/,
  'missing-sequencer': /s3\.object\.sequencer/,
  'odd-sequencer': /s3\.object\.sequencer/,
  'negative-size': /s3\.object\.size/,
  'odd-version': /version 3\.0; understood: 2\.x/,
  'empty-records-in-body': /neither an S3 notification/,
  'body-not-json': /not JSON/,
  'unknown-shape': /neither an S3 notification/,
  'broken-percent-encoding': /not form-encoded/,
  'key-of-1025-bytes': /1025 bytes; S3 allows 1024/,
  'lone-surrogate': /not valid Unicode/,
};

/** Broken in other ways; they have tests where those ways are. */
const ELSEWHERE = [
  'above-48-8-tib',
  'empty-batch',
  'one-bad-of-two-messages',
  'download-unknown-query',
  'download-repeated-query',
  'download-lone-percent',
  'download-no-claims',
  'authorize-without-token',
];

/** A straight S3 event, broken in one member. */
const withS3 = (path: (string | number)[], member: unknown) => withMember(event('s3-put'), ['Records', 0, ...path], member);

function errorOf(document: unknown) {
  const [message] = parseIngestEvent(document);
  if (message === undefined || 'items' in message.content) throw new Error('the event was understood');
  return message.content.error;
}

describe('parseIngestEvent', () => {
  it.each(Object.entries(BROKEN))('refuses broken/%s for good', (name, problem) => {
    expect(errorOf(event(`broken/${name}`))).toMatchObject({
      code: 'malformed-event',
      retryable: false,
      message: expect.stringMatching(problem),
    });
  });

  it('has a test for every file of events/broken/', () => {
    expect(
      eventNames('broken')
        .filter((name) => !name.startsWith('target-'))
        .sort(),
    ).toEqual([...Object.keys(BROKEN), ...ELSEWHERE].sort());
  });

  it('keeps the original text of what it does not understand', () => {
    expect(parseIngestEvent(event('broken/body-not-json'))[0]?.body).toBe('not json');
  });

  it.each(['', '\u0000', 'a\uD800'])('keeps the whole record of a message with the text %j, which no queue takes back', (text) => {
    const batch = withMember(event('broken/body-not-json'), ['Records', 0, 'body'], text);
    expect(parseIngestEvent(batch)).toEqual([
      { body: JSON.stringify(batch), receipt: null, content: { error: expect.objectContaining({ code: 'malformed-event' }) } },
    ]);
  });

  it('finds nothing to do in an empty batch', () => {
    expect(parseIngestEvent(event('broken/empty-batch'))).toEqual([]);
  });

  it('does not let one broken message spoil its neighbour', () => {
    const contents = parseIngestEvent(event('broken/one-bad-of-two-messages')).map(({ content }) => content);
    expect(contents).toEqual([
      { error: expect.objectContaining({ code: 'malformed-event' }) },
      { items: [expect.objectContaining({ etag: objectRef().etag })] },
    ]);
  });

  it.each([
    [['s3', 'object', 'size'], 1.5, 's3.object.size'],
    [['s3', 'object', 'size'], '5', 's3.object.size'],
    [['s3', 'bucket', 'name'], '', 's3.bucket.name'],
    [['eventTime'], 'yesterday', 'eventTime'],
    [['eventSource'], 'aws:other', 'eventSource'],
    [['s3'], undefined, 's3'],
  ])('names the member %j and not its value when it is %j', (path, member, named) => {
    const { message } = errorOf(withS3(path, member));
    expect(message).toContain(`${named}:`);
    expect(message).not.toContain('yesterday');
  });

  it('names every broken member at once', () => {
    const { message } = errorOf(withMember(withS3(['eventTime'], 'x'), ['Records', 0, 's3', 'object', 'eTag'], undefined));
    expect(message).toContain('eventTime');
    expect(message).toContain('s3.object.eTag');
  });

  it.each([null, undefined, 42, 'text', [], {}])('refuses %j without throwing', (document) => {
    expect(errorOf(document)).toMatchObject({ code: 'malformed-event' });
  });

  it.each(['2.0', '2.3', '2.99'])('takes the minor version %s', (version) => {
    expect(parseIngestEvent(withS3(['eventVersion'], version))[0]?.content).toMatchObject({ items: [{}] });
  });

  it.each(['1.0', '3.0', '20.1', ''])('refuses the major version of "%s"', (version) => {
    expect(errorOf(withS3(['eventVersion'], version))).toMatchObject({ code: 'malformed-event' });
  });

  it.each([null, ''])('takes the version id %j of a bucket without versioning for none', (versionId) => {
    const [message] = parseIngestEvent(withS3(['s3', 'object', 'versionId'], versionId));
    expect(message?.content).toMatchObject({ items: [{ etag: objectRef().etag }] });
    expect(message?.content).not.toHaveProperty('items.0.versionId');
  });
});
