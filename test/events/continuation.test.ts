import { describe, expect, it } from 'vitest';
import { type CopyProgress, continuationBody } from '../../src/events/continuation.ts';
import { type ObjectRef, parseIngestEvent, parseTargetEvents } from '../../src/events/index.ts';
import { withMember } from '../fixtures/events.ts';
import { queued } from '../fixtures/messages.ts';
import { objectRef } from '../fixtures/objects.ts';

const REF = objectRef({ requester: 'AWS:AROAEXAMPLE:uploader' });
const PROGRESS: CopyProgress = { uploadId: 'upload-1', copiedParts: 1, parts: 2 };
const document = (ref: ObjectRef = REF): unknown => JSON.parse(continuationBody(ref, PROGRESS));

function contentOf(body: unknown) {
  return parseIngestEvent(queued([body]))[0]?.content;
}

describe('a continuation', () => {
  const { versionId: _version, requester: _requester, ...bare } = REF;

  it.each<[string, ObjectRef]>([
    ['with all that an event tells', REF],
    ['of a bucket that was never versioned, written by nobody known', bare],
    ['of an odd key', { ...REF, key: 'a//b/+%20 \u0001日本🎉' }],
  ])('%s comes back as it went', (_what, ref) => {
    expect(contentOf(document(ref))).toEqual({ items: [{ ...ref, continued: true }] });
  });

  it('has one key: which of two readings it is, was found out before', () => {
    expect(contentOf(document({ ...REF, alternativeKey: 'other' }))).toEqual({ items: [{ ...REF, continued: true }] });
  });

  it.each(['\uFFFF', 'a\uFFFEb\uFFFF', '\\uffff', '\uFFFD', '🎉\uFFFF'])(
    'of the key %j is written in characters that a queue takes, and comes back',
    (key) => {
      const body = continuationBody({ ...REF, key });
      expect(body).not.toMatch(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
      expect(parseIngestEvent(queued([body]))[0]?.content).toEqual({ items: [{ ...REF, key, continued: true }] });
    },
  );

  it('without progress is one, too', () => {
    expect(contentOf(JSON.parse(continuationBody(REF)))).toMatchObject({ items: [REF] });
  });

  it.each([
    [['object', 'key'], ''],
    [['object', 'key'], '../up'],
    [['object', 'key'], 'k'.repeat(1025)],
    [['object', 'etag'], undefined],
    [['object', 'sequencer'], 'XYZ'],
    [['object', 'size'], -1],
    [['object', 'eventTime'], 'yesterday'],
    [['object', 'bucket'], 'arn:aws:s3:::b'],
    [['object'], undefined],
  ])('whose %j is %j is malformed', (path, member) => {
    expect(contentOf(withMember(document(), path, member))).toMatchObject({ error: { code: 'malformed-event', retryable: false } });
  });

  it('that is an event of S3 as well is neither', () => {
    expect(contentOf({ ...(document() as object), Records: [{}] })).toMatchObject({ error: { code: 'malformed-event' } });
  });

  it('of another kind is not understood', () => {
    expect(contentOf(withMember(document(), ['sealdrop'], 'something-else'))).toMatchObject({ error: { code: 'malformed-event' } });
  });

  it("is nothing that the target's events could bring", () => {
    expect(parseTargetEvents(queued([document()]))[0]?.content).toMatchObject({ error: { code: 'malformed-event' } });
  });
});
