/** Share links all the way: made by who may, used by whoever has them. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Keys, sign } from '../sandbox/rest-api/signer.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const SIZE = 100_000;
const body = randomBytes(SIZE);

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/share.yml');
  await stack.drop('shared/report.bin', body);
  await stack.drop('shared/cards/note.txt', 'a note', { ContentType: 'text/plain' });
  await stack.drop('private/report.txt', 'secret');
  await stack.settled();
});
afterAll(() => stack?.stop());

interface Made {
  id: string;
  path: string;
}

const share = (request: object, token?: string | null) =>
  stack.api('/links', { method: 'POST', body: JSON.stringify(request), ...(token === undefined ? {} : { token }) });
const made = async (request: object) => (await (await share(request)).json()) as Made;
const open = (path: string, headers: Record<string, string> = {}, method = 'GET') => stack.api(path, { token: null, headers, method });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('a share link', () => {
  test('opens one version to whoever has it, once, and then nothing', async () => {
    const { path, id } = await made({ key: 'shared/report.bin' });
    const head = await open(path, {}, 'HEAD');
    expect([head.status, head.headers.get('x-sealdrop-length')]).toEqual([200, String(SIZE)]);
    expect((await bytesOf(await open(path))).equals(body)).toBe(true);
    const again = await open(path);
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([404, 'not-found']);
    const events = await stack.history('shared/report.bin');
    expect(events).toContainEqual(expect.objectContaining({ action: 'LinkCreated', link: id }));
    expect(events).toContainEqual(expect.objectContaining({ action: 'ObjectDownloaded', actor: `link/${id}`, outcome: 'success' }));
    expect(events).toContainEqual(expect.objectContaining({ action: 'DownloadDenied', actor: `link/${id}` }));
  });

  test('opens what is under SSE-C as well, under a name to be saved by', async () => {
    const { path } = await made({ key: 'shared/cards/note.txt', uses: 2 });
    expect(await (await open(path)).text()).toBe('a note');
    expect((await open(`${path}?download`)).headers.get('content-disposition')).toBe('attachment; filename="note.txt"');
  });

  test('stays with its version when a newer one comes', async () => {
    await stack.drop('shared/draft.txt', 'first');
    await stack.settled();
    const { path } = await made({ key: 'shared/draft.txt' });
    await stack.drop('shared/draft.txt', 'second');
    await stack.settled();
    expect(await (await open(path)).text()).toBe('first');
  });

  test('counts the ranges of five minutes as one use', async () => {
    const { path } = await made({ key: 'shared/report.bin' });
    const parts = await Promise.all(
      [0, 1, 2, 3].map((at) => open(path, { range: `bytes=${at * 25_000}-${at * 25_000 + 24_999}` }).then(bytesOf)),
    );
    expect(Buffer.concat(parts).equals(body)).toBe(true);
    expect((await open(path)).status).toBe(404);
  });

  test('opens nothing once it is revoked', async () => {
    const { path, id } = await made({ key: 'shared/report.bin', uses: 9 });
    expect((await stack.api(`/links/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await open(path)).status).toBe(404);
    // What it is told by opens nothing either.
    expect((await open(`/links/${id}`)).status).toBe(404);
  });

  test('is made by those alone who may share the key, by token or by signature', async () => {
    expect((await share({ key: 'private/report.txt' })).status).toBe(403);
    expect((await share({ key: 'private/nothing' })).status).toBe(403);
    expect((await share({ key: 'shared/report.bin' }, null)).status).toBe(401);
    expect((await share({ key: 'shared/nothing' })).status).toBe(404);
    const keys: Keys = { accessKeyId: stack.env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: stack.env.AWS_SECRET_ACCESS_KEY ?? '' };
    const text = JSON.stringify({ key: 'shared/report.bin' });
    const { headers } = await sign({ url: stack.env.SEALDROP_API_URL ?? '' }, keys, '/iam/links', { method: 'POST', body: text });
    const { host: _, ...rest } = headers;
    const answer = await stack.api('/iam/links', { method: 'POST', body: text, headers: rest, token: null });
    expect(answer.status).toBe(201);
    expect((await open(((await answer.json()) as Made).path)).status).toBe(200);
  });

  test.each(['x', 'a'.repeat(43), '..', '%00', 'A'.repeat(5000)])('that nobody made, %j, is none', async (token) => {
    expect((await open(`/links/${token}`)).status).toBe(404);
  });
});
