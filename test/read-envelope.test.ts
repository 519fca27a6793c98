/** Messages of the target, as S3 gives them back: through the use case that serves them, over a mocked S3. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, type GetObjectCommandInput, HeadObjectCommand } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { aesOpeningKeys } from '../src/envelope/index.ts';
import type { OpenLinkDeps } from '../src/open-link.ts';
import { openObject } from '../src/open-object.ts';
import type { OpenRequest } from '../src/opened.ts';
import { createRecent } from '../src/recent.ts';
import { FRAME, sealed, WRAPPING_KEY } from './envelope/messages.ts';
import { READER } from './fixtures/api.ts';
import { ETAG, STACK_KEY, TARGET_BUCKET } from './fixtures/objects.ts';
import { openWorld } from './fixtures/open-world.ts';

const KEY = 'reports/1';
const CONTEXT = { sealdrop: 'cse', bucket: TARGET_BUCKET, key: KEY };

interface Stored {
  bytes: Buffer;
  /** `null`: nothing is recorded. */
  record: object | null;
  claims?: object[];
  versionId?: string;
  /** How many bytes S3 gives before it gives no more. */
  stallsAfter?: number;
}

/** One object under `cse-aes`, in frames of 64 bytes. */
function worldWith({ bytes, record, claims = [], versionId = 'target-version-1', stallsAfter }: Stored) {
  const world = openWorld();
  const items = [...(record === null ? [] : [{ record }]), ...claims.map((claim) => ({ claim }))];
  world.dynamodb.on(QueryCommand).resolves({ Items: items.map((item) => marshall(item, { removeUndefinedValues: true })) });
  const answer = ({ Range }: GetObjectCommandInput) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(Range ?? '') ?? [];
    const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
    return {
      $metadata: {},
      ContentLength: part.length,
      ...(first === undefined ? {} : { ContentRange: `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}` }),
      ETag: `"${ETAG}"`,
      VersionId: versionId,
      LastModified: new Date('2026-11-20T09:30:16Z'),
      ContentEncoding: 'gzip, x-sealdrop-cse-aes',
      ServerSideEncryption: 'aws:kms' as const,
      SSEKMSKeyId: STACK_KEY,
      part,
    };
  };
  const gets: string[] = [];
  const bodies: Readable[] = [];
  world.s3.on(GetObjectCommand).callsFake(async (input: GetObjectCommandInput) => {
    const { part, ...told } = answer(input);
    gets.push(input.Range ?? 'whole');
    const body = stallsAfter === undefined ? Readable.from([part]) : stalled(part.subarray(0, stallsAfter));
    bodies.push(body);
    return { ...told, Body: body };
  });
  world.s3.on(HeadObjectCommand).callsFake(async (input: GetObjectCommandInput) => answer(input));
  const opening = { keysFor: () => aesOpeningKeys({ version: async () => WRAPPING_KEY }), known: createRecent<never>(10) };
  const deps: OpenLinkDeps = { ...world.deps, opening, limits: { maxStreamedBytes: 10_000, redirectAboveBytes: 10_000 } };
  return { ...world, deps, gets, bodies };
}

function stalled(bytes: Buffer): Readable {
  const body = new Readable({ read() {} });
  body.push(bytes);
  return body;
}

const request = (more: Partial<OpenRequest> = {}): OpenRequest => ({
  key: KEY,
  purpose: 'read',
  range: null,
  conditions: {},
  redirects: true,
  caller: { subject: 'user-17', claims: READER, principal: null },
  requestId: 'request-1',
  ...more,
});

async function recorded(
  plaintext: Buffer,
  changes: { messageId?: string; messageBytes?: number; size?: number; versionId?: string | undefined } = {},
) {
  const { bytes, messageId } = await sealed(plaintext, { context: CONTEXT });
  const envelope = { messageId: changes.messageId ?? messageId, messageBytes: changes.messageBytes ?? bytes.length };
  const version = 'versionId' in changes ? { versionId: changes.versionId } : { versionId: 'target-version-1' };
  return { bytes, record: { encryption: { mode: 'cse-aes' }, etag: ETAG, ...version, size: changes.size ?? plaintext.length, envelope } };
}

async function read(world: ReturnType<typeof worldWith>, more: Partial<OpenRequest> = {}) {
  const opened = await openObject(request(more), world.deps);
  if (opened.kind !== 'object') throw new Error(opened.kind);
  const pieces: Buffer[] = [];
  let error: unknown = null;
  try {
    for await (const piece of opened.object.body ?? []) pieces.push(piece as Buffer);
  } catch (thrown) {
    error = thrown;
  }
  return { object: opened.object, bytes: Buffer.concat(pieces), error };
}

const eventsOf = (world: ReturnType<typeof worldWith>) =>
  world.dynamodb.commandCalls(PutItemCommand).map(({ args: [{ input }] }) => input.Item?.event?.M?.action?.S ?? JSON.stringify(input.Item));

describe('a message', () => {
  it('is told of as its plaintext', async () => {
    const plaintext = randomBytes(200);
    const { object, bytes, error } = await read(worldWith(await recorded(plaintext)));
    expect(error).toBeNull();
    expect(bytes.equals(plaintext)).toBe(true);
    expect(object).toMatchObject({ size: 200, contentLength: 200, contentEncoding: 'gzip', mode: 'cse-aes', range: null });
  });

  it('with a changed bit in its second frame gives the first, breaks off, and is recorded', async () => {
    const plaintext = randomBytes(200);
    const stored = await recorded(plaintext);
    const at = stored.bytes.length - FRAME - 60;
    stored.bytes[at] = (stored.bytes[at] ?? 0) ^ 1;
    const world = worldWith(stored);
    const { bytes, error } = await read(world);
    expect(error).toMatchObject({ code: 'ciphertext-invalid' });
    expect(bytes.length).toBeLessThan(plaintext.length);
    expect(plaintext.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(JSON.stringify(world.dynamodb.commandCalls(PutItemCommand).map(({ args: [{ input }] }) => input.Item))).toMatch(
      /ObjectDownloaded.*DownloadBroken.*ciphertext-invalid/s,
    );
    expect(eventsOf(world)).toHaveLength(2);
    expect(world.metrics.figures.at(-1)).toMatchObject({ name: 'Failures', by: { code: 'ciphertext-invalid' } });
    expect(world.metrics.flushes).toBe(1);
  });

  it('whose caller goes away is no broken one, and S3 is let go at once, though it gives nothing', async () => {
    const stored = await recorded(randomBytes(1_000));
    const world = worldWith({ ...stored, stallsAfter: stored.bytes.length - 3 * FRAME });
    const opened = await openObject(request(), world.deps);
    if (opened.kind !== 'object' || opened.object.body === null) throw new Error('nothing to read');
    const { body } = opened.object;
    const given = new Promise((resolve) => body.once('data', resolve));
    await given;
    await new Promise((resolve) => setTimeout(resolve, 20));
    body.destroy(new Error('the caller went'));
    await new Promise((resolve) => body.once('error', resolve));
    expect(world.bodies.map(({ destroyed }) => destroyed)).toEqual([true]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(eventsOf(world)).toEqual(['ObjectDownloaded']);
  });

  it('asks S3 once for each further range of it', async () => {
    const plaintext = randomBytes(1_000);
    const world = worldWith(await recorded(plaintext));
    for (const [first, last] of [
      [0, 9],
      [500, 600],
      [990, 999],
    ] as const) {
      const { bytes } = await read(world, { range: { first, last } });
      expect(bytes.equals(plaintext.subarray(first, last + 1))).toBe(true);
    }
    // At first the answer tells that it is a message, then its header is read.
    expect(world.gets).toHaveLength(3 + 2);
  });

  it.each([
    ['another id', { messageId: 'other' }],
    ['another length', { messageBytes: 1 }],
    ['another size', { size: 1 }],
  ])('of which %s is recorded is refused before a byte', async (_, changes) => {
    const world = worldWith(await recorded(randomBytes(100), changes));
    for (const range of [null, { first: 0, last: 1 }]) {
      await expect(openObject(request({ range }), world.deps)).rejects.toMatchObject({ code: 'ciphertext-invalid' });
    }
    await expect(openObject(request({ purpose: 'inspect' }), world.deps)).rejects.toMatchObject({ code: 'ciphertext-invalid' });
  });

  it('in a bucket whose versions are suspended is known by its ETag', async () => {
    const plaintext = randomBytes(100);
    const { bytes } = await read(worldWith({ ...(await recorded(plaintext, { versionId: undefined })), versionId: 'null' }));
    expect(bytes.equals(plaintext)).toBe(true);
  });
});

describe('a message that is not recorded yet', () => {
  const claim = { claimedAt: '2026-11-20T09:30:10.000Z', sequencer: '01', sourceBucket: 'ingest' };

  it('is given while a copy is under way, once its end is proven', async () => {
    const plaintext = randomBytes(200);
    const { bytes: message } = await recorded(plaintext);
    expect((await read(worldWith({ bytes: message, record: null, claims: [claim] }))).bytes.equals(plaintext)).toBe(true);
    const cut = message.subarray(0, message.length - (200 % FRAME) - 40);
    await expect(openObject(request(), worldWith({ bytes: cut, record: null, claims: [claim] }).deps)).rejects.toMatchObject({
      code: 'ciphertext-invalid',
    });
  });

  it('is refused where no copy was under way', async () => {
    const { bytes } = await recorded(randomBytes(100));
    await expect(openObject(request(), worldWith({ bytes, record: null }).deps)).rejects.toMatchObject({ code: 'ciphertext-invalid' });
  });

  it('is refused where another version is recorded to be it', async () => {
    const { bytes, record } = await recorded(randomBytes(100), { versionId: 'an older one' });
    await expect(openObject(request(), worldWith({ bytes, record, claims: [claim] }).deps)).rejects.toMatchObject({
      code: 'ciphertext-invalid',
    });
  });
});
