/** The API for who signs with IAM credentials: the same objects, rights by role or user. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Keys, sign } from '../sandbox/rest-api/signer.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const ADMINISTRATOR = 'arn:aws:iam::000000000000:user/administrator';

let stack: LocalStack;
let administrator: Keys;
beforeAll(async () => {
  stack = await startLocalStack();
  administrator = { accessKeyId: stack.env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: stack.env.AWS_SECRET_ACCESS_KEY ?? '' };
  await stack.drop('finance/annual report ü.txt', 'figures');
  await stack.drop('hr/salaries.txt', 'salaries');
  await stack.settled();
});
afterAll(() => stack?.stop());

/** Signs as any SDK does. @param path encoded, with its query */
async function signed(path: string, credentials: Keys = administrator, { method = 'GET', headers = {} } = {}): Promise<Response> {
  const request = await sign({ url: stack.env.SEALDROP_API_URL ?? '' }, credentials, path, { method, headers });
  const { host: _, ...rest } = request.headers;
  return stack.api(path, { method, headers: rest, token: null });
}

const REPORT = '/iam/objects/finance/annual%20report%20%C3%BC.txt';
const problem = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

describe('who signs with IAM credentials', () => {
  test('reads what a rule gives to the principal, by path and by query, whole and in parts', async () => {
    expect(await (await signed(REPORT)).text()).toBe('figures');
    expect(await (await signed(`/iam/object?key=${encodeURIComponent('finance/annual report ü.txt')}`)).text()).toBe('figures');
    const part = await signed(REPORT, administrator, { headers: { range: 'bytes=0-2' } });
    expect([part.status, await part.text()]).toEqual([206, 'fig']);
    expect((await signed(REPORT, administrator, { method: 'HEAD' })).headers.get('x-sealdrop-length')).toBe('7');
  });

  test('lists and sees histories by the same rules, and is the actor in them', async () => {
    const page = (await (await signed('/iam/objects?prefix=finance%2F')).json()) as { objects: { key: string }[] };
    expect(page.objects.map(({ key }) => key)).toEqual(['finance/annual report ü.txt']);
    const { events } = (await (await signed(`/iam/audit?key=${encodeURIComponent('finance/annual report ü.txt')}`)).json()) as {
      events: { action: string; actor: string }[];
    };
    expect(events).toContainEqual(expect.objectContaining({ action: 'ObjectDownloaded', actor: ADMINISTRATOR }));
  });

  test('gets 403 without a rule, whether the object exists or not, and that is recorded', async () => {
    for (const key of ['hr/salaries.txt', 'hr/nothing']) {
      const answer = await signed(`/iam/objects/${key}`);
      expect([answer.status, (await problem(answer)).code]).toEqual([403, 'forbidden']);
    }
    expect((await signed('/iam/objects?prefix=')).status).toBe(403);
    expect(await stack.history('hr/salaries.txt')).toContainEqual(
      expect.objectContaining({ action: 'DownloadDenied', actor: ADMINISTRATOR }),
    );
  });

  test('is refused by the gateway where no policy of IAM lets it call', async () => {
    const credentials = stack.sandbox.functionCredentials(`${stack.env.SEALDROP_STACK}-health`);
    const answer = await signed(REPORT, credentials);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
    expect(await problem(answer)).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('is refused with another secret', async () => {
    const answer = await signed(REPORT, { ...administrator, secretAccessKey: 'x'.repeat(40) });
    expect([answer.status, await problem(answer)]).toEqual([403, expect.objectContaining({ code: 'unauthenticated' })]);
  });
});

describe('each kind of caller has routes of its own', () => {
  test('a token does not open those for signatures', async () => {
    expect((await stack.api(REPORT)).status).toBeGreaterThanOrEqual(403);
    expect((await stack.api(REPORT, { token: null })).status).toBe(404);
  });

  test('a signature does not open those for tokens', async () => {
    expect((await signed('/objects/finance/annual%20report%20%C3%BC.txt')).status).toBe(401);
  });
});
