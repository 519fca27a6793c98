import { describe, expect, it } from 'vitest';
import { type ObjectDeleted, type ObjectWritten, parseTargetEvents, type TargetEvent } from '../../src/events/index.ts';
import { event, eventNames } from '../fixtures/events.ts';
import { ETAG, TARGET_BUCKET } from '../fixtures/objects.ts';

const CHANGE = {
  bucket: TARGET_BUCKET,
  key: 'reports/2026/annual report.pdf',
  versionId: '4tM5lruKmdqYspUEUnK.snTqYe4ejcsI',
  uniqueId: '0065A1B2C3D4E5F701',
  eventTime: '2026-11-20T09:31:15.123Z',
  correlationId: 'P5P8HEL69ONLK23S',
  principal: 'AWS:AROAEXAMPLEANALYST:somebody',
  sourceIpAddress: '192.0.2.44',
};
const PUT: ObjectWritten = { ...CHANGE, kind: 'written', operation: 'Put', size: 48213, etag: ETAG };
const DELETED: ObjectDeleted = { ...CHANGE, kind: 'deleted', marker: false, lifecycle: false };
const EXPIRED: ObjectDeleted = { ...DELETED, lifecycle: true, principal: 's3.amazonaws.com', sourceIpAddress: 's3.amazonaws.com' };
const unversioned = <Event extends TargetEvent>({ versionId: _, ...rest }: Event) => rest;

const ACCEPTED: Record<string, unknown[]> = {
  'target-put': [PUT],
  'target-post': [{ ...PUT, operation: 'Post' }],
  'target-multipart': [{ ...PUT, operation: 'CompleteMultipartUpload', size: 734_003_200, etag: '2d1e4f0a8c3b5d6e7f8091a2b3c4d5e6-88' }],
  'target-copy-by-encrypt': [
    { ...PUT, operation: 'Copy', principal: 'AWS:AROAEXAMPLEENCRYPT:sealdrop-dev-encrypt', sourceIpAddress: '198.51.100.7' },
  ],
  'target-unversioned': [unversioned(PUT)],
  'target-delete-marker': [{ ...DELETED, marker: true }],
  'target-delete-version': [DELETED],
  'target-delete-unversioned': [unversioned(DELETED)],
  'target-lifecycle-delete': [EXPIRED],
  'target-lifecycle-delete-marker': [{ ...EXPIRED, marker: true }],
  'target-tagging': [],
  'target-two-records': [PUT, { ...DELETED, uniqueId: '0065A1B2C3D4E5F702' }],
};

const BROKEN: Record<string, RegExp> = {
  'target-missing-size': /s3\.object\.size/,
  'target-missing-key': /s3\.object\.key/,
  'target-nameless': /neither a sequencer nor a request id/,
  'target-odd-sequencer': /s3\.object\.sequencer/,
};

/** Understood, and refused where it is handled. */
const ELSEWHERE = ['target-of-another-bucket'];

function contentOf(document: unknown) {
  const [message, ...more] = parseTargetEvents(document);
  expect(more).toEqual([]);
  return message?.content;
}

/** `target-put`'s record, changed. */
const record = (changes: Record<string, unknown>, object: Record<string, unknown> = {}) => ({
  Records: [
    {
      eventVersion: '2.6',
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      eventTime: '2026-11-20T09:31:15Z',
      s3: { bucket: { name: TARGET_BUCKET }, object: { key: 'k', size: 1, eTag: ETAG, sequencer: '0A', ...object } },
      ...changes,
    },
  ],
});

describe('parseTargetEvents', () => {
  it.each(Object.entries(ACCEPTED))('understands %s', (name, items) => {
    expect(contentOf(event(name))).toEqual({ items });
  });

  it.each(Object.entries(BROKEN))('refuses broken/%s for good', (name, problem) => {
    expect(contentOf(event(`broken/${name}`))).toMatchObject({
      error: { code: 'malformed-event', retryable: false, message: expect.stringMatching(problem) },
    });
  });

  it('has a test for every file of events/ about the target bucket', () => {
    const ofTarget = (names: string[]) => names.filter((name) => name.startsWith('target-')).sort();
    expect(ofTarget(eventNames())).toEqual(Object.keys(ACCEPTED).sort());
    expect(ofTarget(eventNames('broken'))).toEqual([...Object.keys(BROKEN), ...ELSEWHERE].sort());
  });

  it("understands S3's test event, and takes no notice of what changes no object", () => {
    expect(contentOf(event('sqs-test-event'))).toEqual({ items: [] });
    for (const eventName of ['ObjectRestore:Post', 'ObjectAcl:Put', 'LifecycleTransition']) {
      expect(contentOf(record({ eventName }))).toEqual({ items: [] });
    }
  });

  it.each([
    ['ObjectRemoved:Something', false],
    ['LifecycleExpiration:Something', true],
  ])('takes %s, which S3 may send one day, for a deletion', (eventName, lifecycle) => {
    expect(contentOf(record({ eventName }))).toMatchObject({ items: [{ kind: 'deleted', marker: false, lifecycle }] });
  });

  it('tells versions apart that one request deleted without sequencers', () => {
    const deleted = { eventName: 'ObjectRemoved:Delete', responseElements: { 'x-amz-request-id': 'REQUEST1' } };
    const ids = ['v1', 'v2'].map((versionId) => contentOf(record(deleted, { sequencer: undefined, versionId })));
    expect(ids).toMatchObject([{ items: [{ uniqueId: 'REQUEST1#v1' }] }, { items: [{ uniqueId: 'REQUEST1#v2' }] }]);
  });

  it('does not take an EventBridge event, which nobody sends here', () => {
    expect(contentOf(event('eventbridge-object-created'))).toMatchObject({ error: { code: 'malformed-event' } });
  });

  it.each([null, '', 'null'])('takes the version id %j for none', (versionId) => {
    expect(contentOf(record({}, { versionId }))).toEqual({ items: [expect.not.objectContaining({ versionId: expect.anything() })] });
  });

  it('goes by the request where S3 sends no sequencer, and says unknown where it names nobody', () => {
    const responseElements = { 'x-amz-request-id': 'REQUEST1' };
    expect(contentOf(record({ responseElements }, { sequencer: undefined }))).toMatchObject({
      items: [{ uniqueId: 'REQUEST1', correlationId: 'REQUEST1', principal: 'unknown', eventTime: '2026-11-20T09:31:15.000Z' }],
    });
  });
});
