/** `sealdrop get` as a shell starts it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Folder, makeFolder, TOKEN } from './downloads.ts';
import { type FakeApi, problem, startFakeApi } from './fake-api.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const MIB = 1024 * 1024;
const BODY = randomBytes(6 * MIB - 1);

let api: FakeApi;
let folder: Folder;

beforeEach(async () => {
  api = await startFakeApi(BODY);
  folder = makeFolder();
});
afterEach(async () => {
  await api.close();
  folder.remove();
});

function start(args: string[], env: Record<string, string> = {}) {
  const environment = { PATH: process.env.PATH ?? '', SEALDROP_API_URL: api.url.href, SEALDROP_TOKEN: TOKEN, ...env };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/sealdrop.ts', 'get', ...args], {
    cwd: PROJECT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => {
    const stderr = Buffer.concat(err).toString();
    const stdout = Buffer.concat(out);
    expect(stderr + stdout.toString('latin1')).not.toContain('canary');
    return { code: code as number | null, stdout, text: stdout.toString(), stderr };
  });
  return { child, ended };
}

const get = (...args: string[]) => start(args).ended;

test('says in one line what came, how fast, and how it is proven', async () => {
  const { code, text, stderr } = await get('cards/a.bin', folder.file);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(text).toMatch(/^cards\/a\.bin → .*object\.bin {2}6\.3 MB; .* s, .*B\/s; proven by its length only.*\n$/);
  expect(folder.read().equals(BODY)).toBe(true);
});

test('says the same as one JSON document', async () => {
  const { code, text } = await get('cards/a.bin', folder.file, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({ ok: true, bytes: BODY.length, etag: '"first"', versionId: 'v1', proof: 'length only' });
});

test('gives the bytes alone on standard output', async () => {
  const { code, stdout, stderr } = await get('cards/a.bin', '-', '--part-mib', '1');
  expect(code).toBe(0);
  expect(stdout.equals(BODY)).toBe(true);
  expect(stderr).toContain('proven by its length only');
});

test('ends where nobody reads its standard output any more', async () => {
  const { child, ended } = start(['cards/a.bin', '-', '--part-mib', '1', '--parallel', '1']);
  child.stdout.once('data', () => child.stdout.destroy());
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expect(stderr).toContain('Standard output was closed');
});

test('asks nobody where a file is there, unless it may overwrite it', async () => {
  writeFileSync(folder.file, 'precious');
  const { code, stderr } = await get('a', folder.file);
  expect([code, api.asked.length, folder.read().toString()]).toEqual([1, 0, 'precious']);
  expect(stderr).toContain('is there already.\n  → --force overwrites it');
  expect((await get('a', folder.file, '--force')).code).toBe(0);
  expect(folder.read().equals(BODY)).toBe(true);
});

describe('a refusal', () => {
  test('is told with its code, what to do, and how operators find it', async () => {
    api.answer = ({ method }, response, serve) => (method === 'GET' ? problem(response, 403, 'forbidden') : serve());
    const { code, text, stderr } = await get('cards/a.bin', folder.file);
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(stderr).toContain('cards/a.bin cannot be fetched: 403 forbidden (about forbidden)');
    expect(stderr).toContain('→ Ask for an access rule in policy.yml');
    expect(stderr).toContain('urn:request:42');
  });

  test('of the first request, which has no body, is told all the same', async () => {
    api.answer = (_, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json', 'x-amzn-requestid': 'request-7' }).end();
    };
    const { code, text } = await get('cards/a.bin', folder.file, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({ ok: false, status: 404, code: 'not-found', instance: 'urn:request:request-7' });
    expect(folder.names()).toEqual([]);
  });

  test('of the first request by a service that failed is told with the words of a GET', async () => {
    api.answer = ({ method }, response) => {
      if (method === 'GET') problem(response, 503, 'kms-key-disabled');
      else response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '0' }).end();
    };
    const { code, stderr } = await get('cards/a.bin', folder.file);
    expect(code).toBe(1);
    expect(stderr).toContain('503 kms-key-disabled');
    expect(stderr).toContain('Enable the KMS key');
  });
});

test('an object that changes while it is fetched is told so, and nothing of it is kept', async () => {
  api.answer = ({ method }, _, serve) => {
    if (method === 'GET') api.object.etag = '"second"';
    serve();
  };
  const { code, stderr } = await get('cards/a.bin', folder.file);
  expect([code, folder.names()]).toEqual([1, []]);
  expect(stderr).toBe(
    'cards/a.bin changed while it was fetched.\nNothing of it was kept.\n  → Run the same command again: it fetches the newer state.\n',
  );
});

test.each([
  ['without a token', { SEALDROP_TOKEN: '' }, 'There is no token.'],
  ['with what is no token', { SEALDROP_TOKEN: 'canary token' }, 'holds is no bearer token'],
  ['where no API is', { SEALDROP_API_URL: 'http://127.0.0.1:9' }, 'cannot be reached'],
  ['with a URL that is none', { SEALDROP_API_URL: 'nowhere' }, 'SEALDROP_API_URL nowhere: an https:// URL'],
])('%s it ends with 2, and nothing was asked', async (_, env, said) => {
  const { code, stderr } = await start(['a', folder.file], env).ended;
  expect([code, api.asked.length]).toEqual([2, 0]);
  expect(stderr).toContain(said);
});

test('takes the token from a file', async () => {
  const tokenFile = `${folder.file}.token`;
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const { code } = await start(['a', folder.file, '--token-file', tokenFile], { SEALDROP_TOKEN: '' }).ended;
  expect(code).toBe(0);
  expect(new Set(api.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
});

describe('a download that is ended in the middle', () => {
  const HELD = 4 * MIB;
  const finishedParts = () => {
    const state = `${folder.file}.part.json`;
    return existsSync(state) ? (JSON.parse(readFileSync(state, 'utf8')) as { done: [number, number][] }).done : [];
  };

  /** Ends it once three parts are recorded; the rest never comes. */
  async function ended(signal: NodeJS.Signals) {
    api.answer = ({ first }, _, serve) => {
      if (first < HELD) serve();
    };
    const { child, ended: end } = start(['cards/a.bin', folder.file, '--part-mib', '1', '--parallel', '2']);
    await expect.poll(finishedParts, { timeout: 15_000 }).toEqual([[0, 3]]);
    child.kill(signal);
    const result = await end;
    api.answer = (_, __, serve) => serve();
    return result;
  }

  async function goesOn() {
    expect(folder.names()).toEqual(['object.bin.part', 'object.bin.part.json']);
    api.asked = [];
    const { code, text } = await get('cards/a.bin', folder.file);
    expect(code).toBe(0);
    expect(text).toContain('4.2 MB of it were there');
    expect(api.ranges().sort()).toEqual([`${HELD}-${5 * MIB - 1}`, `${5 * MIB}-${BODY.length - 1}`]);
    expect(folder.read().equals(BODY)).toBe(true);
    expect(folder.names()).toEqual(['object.bin']);
  }

  test('by force goes on by the same command, and fetches no part twice', async () => {
    expect((await ended('SIGKILL')).code).toBeNull();
    await goesOn();
  });

  test('by a signal ends as a shell expects, and says how it goes on', async () => {
    const { code, stderr } = await ended('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toMatch(/^Interrupted\. What was fetched is kept in .*object\.bin\.part: the same command goes on with it\.\n$/);
    await goesOn();
  });
});
