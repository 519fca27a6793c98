import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/share.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { createLinks, linkId } from '../../src/audit/links.ts';
import { openLink } from '../../src/open-link.ts';
import { apiEvent } from '../fixtures/api.ts';
import { tableError } from '../fixtures/aws.ts';
import { auditEvents } from '../fixtures/encrypt-world.ts';
import { keepTable } from '../fixtures/kept-table.ts';
import { AUDIT_TABLE, ETAG, TARGET_BUCKET, TARGET_OWNER } from '../fixtures/objects.ts';
import { BYTES, openWorld } from '../fixtures/open-world.ts';

const KEY = 'reports/summary.txt';
const CONTEXT = { awsRequestId: 'lambda-request', getRemainingTimeInMillis: () => 300_000 };
const WISH = { purpose: 'read', range: null, conditions: {}, redirects: true } as const;
const VERSIONS = [
  { Key: KEY, VersionId: 'target-version-1', ETag: `"${ETAG}"`, IsLatest: true },
  { Key: KEY, VersionId: 'older', ETag: '"older"', IsLatest: false },
  { Key: `${KEY}.bak`, VersionId: 'another', ETag: '"another"', IsLatest: true },
];

function world(may: ('read' | 'share')[] = ['share']) {
  const opened = openWorld();
  const table = keepTable(opened.dynamodb);
  opened.s3.on(ListObjectVersionsCommand).resolves({ Versions: VERSIONS });
  let requests = 0;
  const access = [{ who: { claim: 'groups', has: 'sealdrop-readers' }, may, under: ['reports/'] }];
  const links = createLinks(opened.clients.dynamodb, AUDIT_TABLE);
  const deps = { ...opened.deps, access, links };
  const handler = createHandler(() => deps);
  const call = async (event: object) => {
    const { statusCode, body } = (await handler(event, CONTEXT as never)) as { statusCode: number; body: string };
    return { status: statusCode, body: body === '' ? null : JSON.parse(body) };
  };
  return {
    ...opened,
    deps,
    table,
    share: (body: object, claims?: Record<string, unknown>) =>
      call({ ...apiEvent({ method: 'POST', ...(claims && { claims }) }), body: JSON.stringify(body) }),
    revoke: (id: string) => call(apiEvent({ method: 'DELETE', path: { link: id } })),
    open: (token: string, wish = {}) => {
      requests += 1;
      return openLink({ token, requestId: `request-${requests}`, sourceIp: '192.0.2.20', wish: () => ({ ...WISH, ...wish }) }, deps);
    },
  };
}

type World = ReturnType<typeof world>;

async function linked(made: World, more = {}) {
  const { body } = await made.share({ key: KEY, ...more });
  return { id: body.id as string, token: (body.path as string).replace('/links/', '') };
}

describe('POST /links', () => {
  it('gives a path that opens the current version, once and for an hour, and tells its token this once', async () => {
    const made = world();
    const { status, body } = await made.share({ key: KEY });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      path: expect.stringMatching(/^\/links\/[\w-]{43}$/),
      key: KEY,
      versionId: 'target-version-1',
      expires: expect.any(String),
      uses: 1,
    });
    const token = body.path.replace('/links/', '');
    expect(body.id).toBe(linkId(token));
    expect(Date.parse(body.expires) - Date.now()).toBeGreaterThan(3_590_000);
    expect(JSON.stringify(made.table.items())).not.toContain(token);
    expect(auditEvents(made)).toEqual([
      expect.objectContaining({
        action: 'LinkCreated',
        actor: 'user-17',
        key: KEY,
        versionId: 'target-version-1',
        link: body.id,
        expires: body.expires,
      }),
    ]);
    expect(made.s3.commandCalls(ListObjectVersionsCommand)[0]?.args[0].input).toMatchObject({
      Bucket: TARGET_BUCKET,
      ExpectedBucketOwner: TARGET_OWNER,
      Prefix: KEY,
    });
  });

  it('takes a version, a time and a number of uses', async () => {
    const made = world();
    expect((await made.share({ key: KEY, versionId: 'older', expiresInSeconds: 60, uses: 7 })).body).toMatchObject({
      versionId: 'older',
      uses: 7,
    });
    expect((await made.share({ key: KEY, versionId: 'another' })).status).toBe(404);
    expect((await made.share({ key: 'reports/none' })).status).toBe(404);
  });

  it('finds a version behind a thousand others of the same key', async () => {
    const made = world();
    made.s3
      .on(ListObjectVersionsCommand)
      .resolvesOnce({ Versions: [VERSIONS[0] ?? {}], IsTruncated: true, NextKeyMarker: KEY, NextVersionIdMarker: 'target-version-1' })
      .resolvesOnce({ Versions: [VERSIONS[1] ?? {}], IsTruncated: true, NextKeyMarker: `${KEY}.bak`, NextVersionIdMarker: 'x' });
    expect((await made.share({ key: KEY, versionId: 'older' })).status).toBe(201);
    expect(made.s3.commandCalls(ListObjectVersionsCommand)[1]?.args[0].input).toMatchObject({
      KeyMarker: KEY,
      VersionIdMarker: 'target-version-1',
    });
  });

  it('is 403 without the right to share, before anything is looked up, and recorded', async () => {
    const made = world(['read']);
    for (const key of [KEY, 'reports/none', 'hr/1']) expect((await made.share({ key })).status).toBe(403);
    expect(made.s3.calls()).toHaveLength(0);
    expect(auditEvents(made).map(({ action, outcome }) => [action, outcome])).toEqual(Array(3).fill(['ShareDenied', 'denied']));
  });

  it('makes no link that cannot be recorded', async () => {
    const made = world();
    made.dynamodb.on(PutItemCommand).rejects(tableError('InternalServerError'));
    expect((await made.share({ key: KEY })).body).toMatchObject({ status: 503, code: 'audit-unavailable' });
  });

  it('says what is wrong with a request', async () => {
    expect((await world().share({ key: KEY, uses: 0 })).body).toMatchObject({ status: 400, code: 'invalid-request' });
  });
});

describe('a link', () => {
  it('opens its version to whoever has it, as often as it says, and is the actor', async () => {
    const made = world();
    const { id, token } = await linked(made, { uses: 2 });
    for (let use = 1; use <= 2; use += 1) {
      const opened = await made.open(token);
      expect(opened.kind === 'object' && opened.object.size).toBe(BYTES.length);
      if (opened.kind === 'object') opened.object.body?.destroy();
    }
    await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
    expect(
      auditEvents(made)
        .filter(({ actor }) => actor === `link/${id}`)
        .map(({ action, outcome }) => [action, outcome]),
    ).toEqual([
      ['ObjectDownloaded', 'success'],
      ['ObjectDownloaded', 'success'],
      ['DownloadDenied', 'denied'],
    ]);
  });

  it('costs no use where no byte is released: HEAD, 304, and what cannot be opened', async () => {
    const made = world();
    const { token } = await linked(made);
    await made.open(token, { purpose: 'inspect' });
    expect((await made.open(token, { conditions: { ifNoneMatch: `"${ETAG}"` } })).kind).toBe('not-modified');
    await expect(made.open(token, { conditions: { ifMatch: '"x"' } })).rejects.toMatchObject({ code: 'precondition-failed' });
    const opened = await made.open(token);
    expect(opened.kind).toBe('object');
    await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
    for (const body of made.bodies.slice(0, -1)) expect(body.destroyed || body.readableFlowing).toBe(true);
  });

  it('opens nothing of another state that took the place of its own', async () => {
    const made = world();
    const { token } = await linked(made, { versionId: 'older' });
    await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
    // Neither a condition nor a range tells anything of it.
    await expect(made.open(token, { conditions: { ifMatch: '"x"' } })).rejects.toMatchObject({ code: 'not-found' });
    await expect(made.open(token, { range: { first: 500, last: null } })).rejects.toMatchObject({ code: 'not-found' });
    expect(made.bodies.every((body) => body.destroyed || body.readableFlowing)).toBe(true);
  });

  it('that leads to S3 leads there no longer than it lasts itself', async () => {
    const made = world();
    const asked: (string | undefined)[] = [];
    made.deps.limits = { maxStreamedBytes: 1, redirectAboveBytes: 1 };
    made.deps.presign = async ({ until }) => {
      asked.push(until);
      return { url: 'https://s3.example/', expires: '' };
    };
    const { body } = await made.share({ key: KEY });
    const token = body.path.replace('/links/', '');
    expect((await made.open(token, { range: { first: 0, last: 9 } })).kind).toBe('redirect');
    expect(asked).toEqual([body.expires]);
    // A range that S3 serves begins a use like any other, and the next one is part of it.
    expect((await made.open(token, { range: { first: 10, last: null } })).kind).toBe('redirect');
    await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that is over is told of once in five minutes, however often it is tried', async () => {
    const made = world();
    const { token } = await linked(made, { uses: 3 });
    for (let tries = 0; tries < 5; tries += 1) await made.open(token, { purpose: 'inspect' });
    for (let use = 0; use < 3; use += 1) await made.open(token);
    for (let tries = 0; tries < 5; tries += 1) await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
    const told = made.table.items().flatMap(({ event }) => (event as AuditEvent | undefined)?.action ?? []);
    const count = (action: string) => told.filter((each) => each === action).length;
    // A run that crosses the end of five minutes has one more of each.
    expect([count('ObjectInspected'), count('DownloadDenied')].every((each) => each === 1 || each === 2)).toBe(true);
    expect(count('ObjectDownloaded')).toBe(3);
  });

  it('that is not there says what one that is over says', async () => {
    const made = world();
    const { token } = await linked(made);
    (await made.open(token)) satisfies unknown;
    const told = await Promise.all([token, 'no-such-token', ''].map((each) => made.open(each).catch((error: Error) => error.message)));
    expect(new Set(told).size).toBe(1);
  });

  it('opens nothing once it is revoked, by whoever may share its key', async () => {
    const made = world();
    const { id, token } = await linked(made, { uses: 5 });
    expect((await made.revoke(id)).status).toBe(204);
    await expect(made.open(token)).rejects.toMatchObject({ code: 'not-found' });
    expect(auditEvents(made)).toContainEqual(expect.objectContaining({ action: 'LinkRevoked', actor: 'user-17', link: id }));
  });

  it('is not revoked by who may not share its key, nor if there is none', async () => {
    const made = world();
    const { id, token } = await linked(made);
    for (const other of [linkId('x'), 'x', token]) expect((await made.revoke(other)).status).toBe(404);
    made.deps.access = [];
    expect((await made.revoke(id)).status).toBe(404);
    expect(auditEvents(made).at(-1)).toMatchObject({ action: 'ShareDenied', outcome: 'denied', actor: 'user-17' });
    expect((await made.open(token)).kind).toBe('object');
  });
});
