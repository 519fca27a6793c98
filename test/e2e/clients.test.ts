/** Clients that we did not write, each by what it does best, where the machine has them. */
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const run = promisify(execFile);
const installed = (command: string) => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const MIB = 1024 * 1024;
/** Above `redirectAboveMiB` here, so that S3 serves it where it may. */
const SIZE = 3 * MIB + 17;

/** The same bytes under a mode that S3 decrypts by itself, and under one for which it wants the key. */
const KEYS = ['default/large file.bin', 'customer/large file.bin'];
const body = randomBytes(SIZE);

let stack: LocalStack;
let folder: string;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/policy.yml', { redirectAboveMiB: '1' });
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-clients-'));
  for (const key of KEYS) await stack.drop(key, body);
  await stack.drop('customer/note.txt', 'a note', { ContentType: 'text/plain' });
  await stack.settled();
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = (key: string, query = '') =>
  `${stack.env.SEALDROP_API_URL}/objects/${key.split('/').map(encodeURIComponent).join('/')}${query}`;
const bearer = () => `Authorization: Bearer ${stack.env.SEALDROP_TOKEN}`;
/** Resolves also where the program reports a failure. */
const attempt = (command: string, ...args: string[]) =>
  run(command, args, { cwd: folder }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );
const saved = (name: string) => readFileSync(join(folder, name));
let files = 0;
const fresh = (beginning?: Buffer) => {
  files += 1;
  const name = `file-${files}`;
  if (beginning !== undefined) writeFileSync(join(folder, name), beginning);
  return name;
};

describe.each(KEYS)('%s', (key) => {
  test('fetch follows to S3 where it must, and gets the bytes', async () => {
    const answer = await fetch(url(key), { headers: { authorization: `Bearer ${stack.env.SEALDROP_TOKEN}` } });
    expect([answer.status, answer.redirected]).toEqual([200, key.startsWith('default/')]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
    const head = await fetch(url(key), { method: 'HEAD', headers: { authorization: `Bearer ${stack.env.SEALDROP_TOKEN}` } });
    expect(answer.headers.get('etag')).toBe(head.headers.get('etag'));
    expect(answer.headers.get('cache-control')).toBe(head.headers.get('cache-control'));
  });

  describe.runIf(installed('curl'))('curl', () => {
    const curl = (...args: string[]) => attempt('curl', '-sS', '--fail', '-L', '-H', bearer(), ...args);

    test('gets it', async () => {
      const file = fresh();
      expect(await curl('-o', file, url(key))).toMatchObject({ code: 0 });
      expect(saved(file).equals(body)).toBe(true);
    });

    test('-C - goes on where a download broke off', async () => {
      const file = fresh(body.subarray(0, MIB));
      expect(await curl('-C', '-', '-o', file, url(key))).toMatchObject({ code: 0 });
      expect(saved(file).equals(body)).toBe(true);
    });

    test('-r gets a range, -I what is known, --etag-compare nothing twice', async () => {
      const file = fresh();
      await curl('-r', '100-199', '-o', file, url(key));
      expect(saved(file).equals(body.subarray(100, 200))).toBe(true);
      expect((await curl('-I', url(key))).output).toMatch(new RegExp(`content-length: ${SIZE}\r\n`, 'i'));
      const etag = fresh();
      await curl('--etag-save', etag, '-o', '/dev/null', url(key, '?redirect=never'));
      const again = await curl('--etag-compare', etag, '-w', '%{http_code} %{size_download}', '-o', fresh(), url(key, '?redirect=never'));
      expect(again.output).toBe('304 0');
    });
  });

  describe.runIf(installed('wget'))('wget', () => {
    const wget = (...args: string[]) => attempt('wget', '--tries=1', '--header', bearer(), ...args);

    test('gets it through the API', async () => {
      const file = fresh();
      expect(await wget('-nv', '-O', file, url(key, '?redirect=never'))).toMatchObject({ code: 0 });
      expect(saved(file).equals(body)).toBe(true);
    });

    test('-c goes on where a download broke off', async () => {
      const file = fresh(body.subarray(0, MIB));
      expect(await wget('-nv', '-c', '-O', file, url(key, '?redirect=never'))).toMatchObject({ code: 0 });
      expect(saved(file).equals(body)).toBe(true);
    });
  });

  test.runIf(installed('aria2c'))('aria2 gets it in ranges side by side', async () => {
    const file = fresh();
    const split = ['--split=4', '--max-connection-per-server=4', '--min-split-size=1M', '--allow-overwrite=true', '--quiet=true'];
    const done = await attempt('aria2c', ...split, `--header=${bearer()}`, '-d', folder, '-o', file, url(key, '?redirect=never'));
    expect(done).toMatchObject({ code: 0 });
    expect(saved(file).equals(body)).toBe(true);
    const ranged = (await stack.history(key)).filter(({ window }) => window !== undefined);
    expect(ranged.reduce((sum, { ranges }) => sum + Number(ranges), 0)).toBeGreaterThanOrEqual(2);
  });
});

test.runIf(installed('wget'))('wget sends its token along with a redirect, which S3 refuses', async () => {
  const file = fresh();
  const { code, output } = await attempt('wget', '--tries=1', '-S', '--header', bearer(), '-O', file, url('default/large file.bin'));
  expect(code).not.toBe(0);
  expect(output).toMatch(/307 Temporary Redirect[\s\S]*400 Bad Request/);
  expect(statSync(join(folder, file)).size).toBe(0);
});

describe.runIf(installed('wget') && installed('curl'))('names and times', () => {
  test('wget --content-disposition saves under the name that ?download gives', async () => {
    const args = ['-nv', '--content-disposition', '--header', bearer(), url('customer/note.txt', '?download=renamed.txt')];
    expect(await attempt('wget', ...args)).toMatchObject({ code: 0 });
    expect(saved('renamed.txt').toString()).toBe('a note');
  });

  test('curl -z asks only for what is newer than its file', async () => {
    const file = fresh(Buffer.from('an older one'));
    const asked = ['-sS', '-H', bearer(), '-z', file, '-o', fresh(), '-w', '%{http_code}', url('customer/note.txt')];
    utimesSync(join(folder, file), new Date('2001-01-01'), new Date('2001-01-01'));
    expect((await attempt('curl', ...asked)).output).toBe('200');
    utimesSync(join(folder, file), new Date(), new Date(Date.now() + 60_000));
    expect((await attempt('curl', ...asked)).output).toBe('304');
  });
});
