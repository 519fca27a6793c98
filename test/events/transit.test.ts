import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTransitEvent, type TransitMessage, transitDeletionBody, transitOrderBody } from '../../src/events/index.ts';
import { transitName } from '../../src/transit-copy.ts';
import { event, eventNames, withMember } from '../fixtures/events.ts';
import { queued } from '../fixtures/messages.ts';
import { ETAG, TARGET_BUCKET } from '../fixtures/objects.ts';

const NAMED = {
  bucket: TARGET_BUCKET,
  key: 'cards/2026/film.mp4',
  versionId: '4tM5lruKmdqYspUEUnK.snTqYe4ejcsI',
  correlationId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
};
const ACCEPTED: Record<string, TransitMessage> = {
  'transit-order': { kind: 'transit', ...NAMED, etag: ETAG, size: 734_003_200, requestedAt: '2026-11-20T09:31:15.123Z' },
  'transit-deletion': {
    kind: 'transit-delete',
    ...NAMED,
    copy: { name: transitName({ ...NAMED, etag: ETAG }), etag: '2d1e4f0a8c3b5d6e7f8091a2b3c4d5e6-11' },
  },
};
const contentOf = (from: unknown) => parseTransitEvent(from, TARGET_BUCKET).map(({ content }) => content);

/** Path in a message → what no message has there. */
const BROKEN: [name: string, path: string[], members: unknown[]][] = [
  ['transit-order', ['kind'], [undefined, 'continue-copy', 1]],
  ['transit-order', ['version'], [undefined, 2, '1']],
  ['transit-order', ['key'], [undefined, '', 7, '\ud800', 'k'.repeat(1025)]],
  ['transit-order', ['versionId'], [undefined, '', 'a b']],
  ['transit-order', ['etag'], [undefined, '', 'a\nb']],
  ['transit-order', ['size'], [undefined, -1, 1.5, '1']],
  ['transit-order', ['requestedAt'], [undefined, 'yesterday']],
  ['transit-order', ['correlationId'], [undefined, 'a b']],
  ['transit-deletion', ['copy'], [undefined, {}]],
  ['transit-deletion', ['copy', 'name'], [undefined, '../other', 'A'.repeat(64), 'a'.repeat(63)]],
  ['transit-deletion', ['copy', 'etag'], [undefined, '']],
];

function bodyOf(name: string): unknown {
  const { Records } = event(name) as { Records: [{ body: string }] };
  return JSON.parse(Records[0].body);
}

describe('parseTransitEvent', () => {
  it.each(Object.entries(ACCEPTED))('reads %s', (name, message) => {
    expect(contentOf(event(name))).toEqual([{ items: [message] }]);
  });

  it('has a test for every file of events/ about copies in transit', () => {
    expect(
      eventNames()
        .filter((name) => name.startsWith('transit-'))
        .sort(),
    ).toEqual(Object.keys(ACCEPTED).sort());
  });

  it.each(BROKEN.flatMap(([name, path, members]) => members.map((member) => [name, path, member] as const)))(
    'refuses %s with %j as %j',
    (name, path, member) => {
      expect(contentOf(queued([withMember(bodyOf(name), path, member)]))).toEqual([
        { error: expect.objectContaining({ code: 'malformed-event' }) },
      ]);
    },
  );

  it('gives back what was sent, whatever the key', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter((text) => text.isWellFormed() && !/(^|\/)\.\.(\/|$)/.test(text));
    fc.assert(
      fc.property(key, fc.nat(), (name, size) => {
        for (const message of Object.values(ACCEPTED)) {
          const sent = { ...message, key: name, ...(message.kind === 'transit' ? { size } : {}) } as TransitMessage;
          const body = sent.kind === 'transit' ? transitOrderBody(sent) : transitDeletionBody(sent);
          expect(body).not.toContain(TARGET_BUCKET);
          expect(contentOf(queued([body]))).toEqual([{ items: [sent] }]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
