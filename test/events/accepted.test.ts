import { describe, expect, it } from 'vitest';
import { type EventMessage, type ObjectRef, parseIngestEvent } from '../../src/events/index.ts';
import { event, eventNames } from '../fixtures/events.ts';
import { ETAG, INGEST_BUCKET, VERSION_ID } from '../fixtures/objects.ts';

const PUT: ObjectRef = {
  bucket: INGEST_BUCKET,
  key: 'reports/2026/annual report.pdf',
  versionId: VERSION_ID,
  etag: ETAG,
  size: 48213,
  sequencer: '0065A1B2C3D4E5F607',
  eventTime: '2026-11-20T09:30:15.123Z',
  correlationId: 'N4N7GDK58NMKJ12R',
  requester: 'AWS:AROAEXAMPLEINGESTAPP:uploader',
};
const { versionId: _version, ...UNVERSIONED } = PUT;
const CARD: ObjectRef = {
  ...PUT,
  key: 'cards/visa.csv',
  versionId: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
  etag: '5d41402abc4b2a76b9719d911017c592',
  size: 5,
  sequencer: '0065A1B2C3D4E5F608',
};
/** EventBridge tells seconds, and the requester by account. */
const BRIDGED: ObjectRef = { ...PUT, eventTime: '2026-11-20T09:30:15.000Z', requester: '000000000000' };
const { versionId: _bridgedVersion, ...BRIDGED_UNVERSIONED } = BRIDGED;

/** Event file → the refs of each of its messages. */
const ACCEPTED: Record<string, ObjectRef[][]> = {
  'sqs-s3-put': [[PUT]],
  'sqs-s3-put-2.1': [[PUT]],
  'sqs-s3-multipart': [[{ ...PUT, key: 'video/raw.mov', size: 734_003_200, etag: '2d1e4f0a8c3b5d6e7f8091a2b3c4d5e6-88' }]],
  'sqs-s3-copy': [[{ ...PUT, key: 'archive/copied.txt' }]],
  'sqs-s3-two-records': [[PUT, CARD]],
  'sqs-s3-batch': [[PUT], [CARD]],
  'sqs-s3-redelivered': [[PUT]],
  'sqs-eventbridge': [[BRIDGED]],
  'sqs-sns-s3': [[PUT]],
  'sqs-test-event': [[]],
  's3-put': [[PUT]],
  's3-versioned': [[{ ...PUT, versionId: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e' }]],
  's3-unversioned': [[UNVERSIONED]],
  's3-version-null': [[UNVERSIONED]],
  's3-empty-object': [[{ ...PUT, key: 'empty.flag', size: 0, etag: 'd41d8cd98f00b204e9800998ecf8427e' }]],
  's3-object-removed': [[]],
  'sns-s3-put': [[PUT]],
  'eventbridge-object-created': [[BRIDGED_UNVERSIONED]],
  'eventbridge-versioned': [[BRIDGED]],
  'eventbridge-ambiguous-key': [[{ ...BRIDGED, key: 'a+b%20c.txt', alternativeKey: 'a b c.txt' }]],
  'eventbridge-object-deleted': [[]],
};

const API_EVENTS = ['download-path', 'download-query', 'download-head', 'list', 'history', 'health', 'authorize'];

const KEYS: Record<string, string> = {
  plus: 'invoices/1+1=2.txt',
  spaces: ' leading and  double .txt',
  percent: '50%/100%25 off.txt',
  accented: 'café/été.txt',
  japanese: '日本/東京 タワー.txt',
  emoji: 'party/🎉👩‍👩‍👧.txt',
  'double-slash': 'a//b///c.txt',
  'dot-segments': 'a/./../b.txt',
  longest: `long/${'é'.repeat(509)}x`,
  'trailing-slash': 'folder/',
  reserved: 'odd/!\'()*~&=;:@$,?#[]{}|\\^`"<>.txt',
};

describe('parseIngestEvent', () => {
  it.each(Object.entries(ACCEPTED))('understands %s', (name, refs) => {
    expect(parseIngestEvent(event(name)).map(refsOf)).toEqual(refs);
  });

  it('has a test for every file of events/', () => {
    expect(eventNames().filter(isOfIngest).sort()).toEqual([...Object.keys(ACCEPTED), ...API_EVENTS].sort());
    expect(eventNames('keys').sort()).toEqual(Object.keys(KEYS).sort());
  });

  it.each(Object.entries(KEYS))('decodes the key of keys/%s', (name, key) => {
    expect(parseIngestEvent(event(`keys/${name}`)).flatMap(refsOf)).toEqual([expect.objectContaining({ key })]);
  });

  it('takes a key of exactly 1,024 bytes', () => {
    expect(Buffer.byteLength(KEYS.longest ?? '')).toBe(1024);
  });

  it('keeps the text and the receipt of a queued message', () => {
    const [message] = parseIngestEvent(event('sqs-s3-redelivered'));
    expect(message?.receipt).toEqual({ messageId: expect.any(String), receiptHandle: expect.any(String), receiveCount: 5 });
    expect(JSON.parse(message?.body ?? '')).toEqual(event('s3-put'));
  });

  it('keeps the event itself where there is no queue', () => {
    const [message] = parseIngestEvent(event('s3-put'));
    expect(message?.receipt).toBeNull();
    expect(JSON.parse(message?.body ?? '')).toEqual(event('s3-put'));
  });
});

/** Those of the target bucket and of copies in transit have tests of their own. */
function isOfIngest(name: string): boolean {
  return !/^(?:target|transit)-/.test(name);
}

function refsOf(message: EventMessage<ObjectRef>): ObjectRef[] {
  if ('error' in message.content) throw message.content.error;
  return message.content.items;
}
