import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { CLAIM_LIFETIME_MS, type Claim, createObjectRecords, type ObjectRecord } from '../../src/audit/object-record.ts';
import { mockAws, tableError } from '../fixtures/aws.ts';
import { keepTable } from '../fixtures/kept-table.ts';
import { AUDIT_TABLE, ETAG, INGEST_BUCKET, TARGET_BUCKET } from '../fixtures/objects.ts';

const KEY = 'a/b.txt';
const NOW = Date.parse('2026-11-20T10:00:00.000Z');
const UPLOAD = { uploadId: 'upload-1', partBytes: 5, encryption: { mode: 'sse-s3' as const } };

function claim(sequencer: string, changes: Partial<Claim> = {}): Claim {
  return {
    bucket: TARGET_BUCKET,
    key: KEY,
    sourceBucket: INGEST_BUCKET,
    sequencer,
    id: `attempt-${sequencer}`,
    claimedAt: new Date(NOW - 1000).toISOString(),
    ...changes,
  };
}

function record(sequencer: string, encryptedAt = '2026-11-20T09:59:00.000Z'): ObjectRecord {
  return {
    bucket: TARGET_BUCKET,
    key: KEY,
    encryption: { mode: 'sse-s3' },
    etag: ETAG,
    proof: 'source-pinned',
    size: 12,
    policyFingerprint: '0123456789abcdef',
    source: { bucket: INGEST_BUCKET, etag: ETAG, sequencer, eventTime: '2026-11-20T09:30:15.123Z', correlationId: 'REQUEST' },
    encryptedAt,
  };
}

/** A table that holds these, written by the code itself and given back as a Query sorts them. */
async function holding(claims: Claim[], recorded: ObjectRecord[] = []) {
  const { clients, dynamodb } = mockAws();
  dynamodb.on(PutItemCommand).resolves({});
  const records = createObjectRecords(clients.dynamodb, AUDIT_TABLE, () => NOW);
  for (const one of claims) await records.claim([one]);
  for (const one of recorded) await records.append([one]);
  const items = dynamodb.commandCalls(PutItemCommand).map((call) => call.args[0].input.Item ?? {});
  dynamodb.on(QueryCommand).resolves({ Items: items.toSorted((a, b) => ((a.sk?.S ?? '') < (b.sk?.S ?? '') ? 1 : -1)) });
  return { records, look: (sequencer: string) => records.look(TARGET_BUCKET, KEY, { bucket: INGEST_BUCKET, sequencer }), dynamodb };
}

describe('look', () => {
  it('finds nothing where nobody was', async () => {
    const { look } = await holding([]);
    expect(await look('05')).toEqual({ newest: null, uploads: [], newer: null, newerUploads: [] });
  });

  it('gives the record of the newest source, whatever claims lie above it', async () => {
    const { look } = await holding([claim('05'), claim('03'), claim('01')], [record('03'), record('01')]);
    expect((await look('05')).newest?.source.sequencer).toBe('03');
  });

  it('gives the last of several records of one source', async () => {
    const { look } = await holding([], [record('03', '2026-11-20T09:00:00.000Z'), record('03', '2026-11-20T09:30:00.000Z')]);
    expect((await look('03')).newest?.encryptedAt).toBe('2026-11-20T09:30:00.000Z');
  });

  it('gives a newer claim that may still be copied, and no older one', async () => {
    const { look } = await holding([claim('05'), claim('03')], [record('01')]);
    expect((await look('04')).newer?.sequencer).toBe('05');
    expect((await look('05')).newer).toBeNull();
    expect((await look('06')).newer).toBeNull();
  });

  it.each([
    ['ended', { ended: true as const }],
    ['too old to be alive', { claimedAt: new Date(NOW - CLAIM_LIFETIME_MS).toISOString() }],
  ])('passes over a claim that is %s', async (_what, changes) => {
    const { look } = await holding([claim('05', changes), claim('04')]);
    expect((await look('03')).newer?.sequencer).toBe('04');
    expect((await look('04')).newer).toBeNull();
  });

  it('counts a claim until the end of its life', async () => {
    const { look } = await holding([claim('05', { claimedAt: new Date(NOW - CLAIM_LIFETIME_MS + 1).toISOString() })]);
    expect((await look('03')).newer?.sequencer).toBe('05');
  });

  it('keeps an attempt that lives, though another one at the same source has ended', async () => {
    const { look } = await holding([claim('05', { id: 'a', ended: true }), claim('05', { id: 'b' })]);
    expect((await look('03')).newer?.id).toBe('b');
  });

  it('gives the uploads that attempts at this source began, the last first, also below its own record', async () => {
    const early = { claimedAt: new Date(NOW - 5000).toISOString() };
    const old = claim('05', { id: 'a', ...early, upload: { ...UPLOAD, uploadId: 'upload-0' } });
    const { look } = await holding([
      old,
      claim('05', { id: 'b', upload: UPLOAD }),
      claim('06', { upload: { ...UPLOAD, uploadId: 'other' } }),
    ]);
    expect((await look('05')).uploads).toEqual([UPLOAD, { ...UPLOAD, uploadId: 'upload-0' }]);
    const recorded = await holding([claim('05', { upload: UPLOAD })], [record('06'), record('05')]);
    expect((await recorded.look('05')).uploads).toEqual([UPLOAD]);
  });

  it('gives the uploads that attempts at newer sources began, dead or ended as they may be, and none of older ones', async () => {
    const uploading = (uploadId: string) => ({ upload: { ...UPLOAD, uploadId } });
    const { look } = await holding(
      [
        claim('08', { ...uploading('dead'), claimedAt: new Date(NOW - 24 * 3_600_000).toISOString() }),
        claim('07', { ...uploading('ended'), ended: true }),
        claim('06', uploading('alive')),
        claim('04', uploading('older')),
      ],
      [record('03')],
    );
    const { uploads, newerUploads } = await look('05');
    expect([uploads, newerUploads.map(({ uploadId }) => uploadId)]).toEqual([[], ['dead', 'ended', 'alive']]);
  });

  it('takes records and claims of another source bucket for nothing', async () => {
    const elsewhere = (one: ObjectRecord) => ({ ...one, source: { ...one.source, bucket: 'another' } });
    const { look } = await holding(
      [
        claim('08', { sourceBucket: 'another', upload: UPLOAD }),
        claim('05', { id: 'theirs', sourceBucket: 'another', upload: UPLOAD }),
        claim('03'),
      ],
      [elsewhere(record('07')), elsewhere(record('05', '2026-11-20T09:58:00.000Z')), record('03')],
    );
    expect(await look('05')).toEqual({ newest: record('03'), uploads: [], newer: null, newerUploads: [] });
  });

  it('needs one call', async () => {
    const { look, dynamodb } = await holding([claim('05')], [record('05')]);
    await look('05');
    expect(dynamodb.commandCalls(QueryCommand)).toHaveLength(1);
  });

  it('fails by name, and never says that nobody was there', async () => {
    const { look, dynamodb } = await holding([]);
    dynamodb.on(QueryCommand).rejects(tableError('ProvisionedThroughputExceededException'));
    await expect(look('05')).rejects.toMatchObject({ code: 'audit-unavailable', retryable: true });
  });
});

describe('a key of many items', () => {
  const sequencers = (count: number) => Array.from({ length: count }, (_, index) => (0x1000 + index).toString(16));

  /** A table that gives its items page by page. */
  async function paged(claims: Claim[], recorded: ObjectRecord[]) {
    const { clients, dynamodb } = mockAws();
    keepTable(dynamodb);
    const records = createObjectRecords(clients.dynamodb, AUDIT_TABLE, () => NOW);
    await records.claim(claims);
    await records.append(recorded);
    return { records, pages: () => dynamodb.commandCalls(QueryCommand).length, dynamodb };
  }

  const source = (sequencer: string) => ({ bucket: INGEST_BUCKET, sequencer });

  it('costs look one page, once a newer record is among it', async () => {
    const { records, pages } = await paged(
      [claim('0005')],
      sequencers(600).map((sequencer) => record(sequencer)),
    );
    expect((await records.look(TARGET_BUCKET, KEY, source('0005'))).newest?.source.sequencer).toBe('1257');
    expect(pages()).toBe(1);
  });

  it('is read on by look while there are only claims', async () => {
    const ended = sequencers(1_100).map((sequencer) => claim(sequencer, { ended: true }));
    const { records, pages } = await paged(ended, [record('0006')]);
    const state = await records.look(TARGET_BUCKET, KEY, source('0005'));
    expect([state.newest, state.newer, pages()]).toEqual([record('0006'), null, 3]);
  });

  it.each([
    ['older', 30, '0004'],
    ['its own', 19, '0005'],
  ])('is read on by look while the newest record is %s: this source may have left uploads below', async (_whose, above, recorded) => {
    const ended = sequencers(above).map((sequencer) => claim(sequencer, { ended: true }));
    const { records, pages } = await paged([...ended, claim('0005', { upload: UPLOAD })], [record(recorded)]);
    expect((await records.look(TARGET_BUCKET, KEY, source('0005'))).uploads).toEqual([UPLOAD]);
    expect(pages()).toBe(2);
  });

  it('is read on by latest and find until they have what they want', async () => {
    const claims = sequencers(1_001).map((sequencer) => claim(sequencer));
    const { records } = await paged(claims, [record('0006'), { ...record('0003'), versionId: 'v3' }]);
    expect(await records.latest(TARGET_BUCKET, KEY)).toEqual(record('0006'));
    expect(await records.find(TARGET_BUCKET, KEY, { versionId: 'v3', etag: ETAG })).toMatchObject({ source: source('0003') });
    expect(await records.find(TARGET_BUCKET, KEY, { versionId: 'v4', etag: ETAG })).toBeNull();
  });

  it.each(['look', 'latest', 'find', 'wasClaimed'] as const)('of which there is no end is nothing that %s can tell of', async (what) => {
    const { records, dynamodb, pages } = await paged([], []);
    const old = claim('0007', { claimedAt: '2026-11-01T00:00:00.000Z' });
    dynamodb.on(QueryCommand).resolves({ Items: [marshall({ claim: old })], LastEvaluatedKey: { pk: { S: 'p' }, sk: { S: 's' } } });
    const asked = {
      look: () => records.look(TARGET_BUCKET, KEY, source('0005')),
      latest: () => records.latest(TARGET_BUCKET, KEY),
      find: () => records.find(TARGET_BUCKET, KEY, { etag: ETAG }),
      wasClaimed: () => records.wasClaimed(TARGET_BUCKET, KEY, new Date(NOW).toISOString()),
    }[what];
    await expect(asked()).rejects.toMatchObject({ code: 'audit-unavailable', retryable: true, object: { key: KEY } });
    expect(pages()).toBe(50);
  });
});

describe('wasClaimed', () => {
  it.each([
    [-61_000, false],
    [-59_000, true],
    [0, true],
    [CLAIM_LIFETIME_MS, true],
    [CLAIM_LIFETIME_MS + 1, false],
  ])('%d ms after a claim: %s', async (after, expected) => {
    const { records } = await holding([claim('05', { claimedAt: new Date(NOW).toISOString() })]);
    expect(await records.wasClaimed(TARGET_BUCKET, KEY, new Date(NOW + after).toISOString())).toBe(expected);
  });
});
