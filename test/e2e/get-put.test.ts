/** `sealdrop put`, `sealdrop get` and `sealdrop token` against a stack that runs. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetBucketNotificationConfigurationCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketNotificationConfigurationCommand,
} from '@aws-sdk/client-s3';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODE_CASES } from '../contract/mode-contract.ts';
import { startCommand } from './command.ts';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const MIB = 1024 * 1024;
const BODY = randomBytes(20_000_000);

let stack: LocalStack;
let folder: string;
let file: string;

beforeAll(async () => {
  stack = await startLocalStack();
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-get-put-'));
  file = join(folder, 'twenty.bin');
  writeFileSync(file, BODY);
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The command itself: signals reach it, not what started it. */
const start = (args: string[], env: Record<string, string | undefined> = {}) =>
  startCommand(['--disable-warning=ExperimentalWarning', 'cli/sealdrop.ts', ...args], { ...stack.env, ...env });

const sealdrop = (...args: string[]) => start(args).ended;

/** Without what it shows, the document of a command. */
async function document(...args: string[]) {
  const { code, stdout, stderr } = await sealdrop(...args, '--json');
  if (stdout === '') throw new Error(`no document: ${stderr}`);
  const said: Record<string, unknown> = { ...JSON.parse(stdout), exitCode: code };
  return said;
}

const tokenOf = async (...args: string[]) => (await sealdrop('token', ...args)).stdout.trim();
const ingested = (Key: string) => stack.s3.send(new HeadObjectCommand({ Bucket: stack.ingestBucket, Key }));

describe.each(MODE_CASES)('a file of 20 MB under $prefix ($mode)', ({ prefix, mode }) => {
  test('is put, followed until it is encrypted, and comes back the same, proven by the checksum that it was put with', async () => {
    const key = `${prefix}put/twenty.bin`;
    const put = await document('put', file, `${prefix}put/`);
    expect(put).toMatchObject({ exitCode: 0, ok: true, key, bytes: BODY.length, outcome: 'encrypted', encryption: { mode } });
    expect((await ingested(key)).VersionId).toBe(put.versionId);

    const back = join(folder, `${mode}-back.bin`);
    expect(await document('get', key, back, '--force')).toMatchObject({ exitCode: 0, bytes: BODY.length, proof: 'crc64nvme' });
    expect(readFileSync(back).equals(BODY)).toBe(true);
    expect(existsSync(`${back}.part`)).toBe(false);
  });
});

describe('an object under SSE-C', () => {
  const key = 'customer/put/twenty.bin';

  test('comes in order on standard output', async () => {
    const { code, bytes, stderr } = await sealdrop('get', key, '-', '--part-mib', '1');
    expect(code).toBe(0);
    expect(bytes.equals(BODY)).toBe(true);
    expect(stderr).toContain('proven by crc64nvme');
  });

  test('that was ended by force while it came goes on where it was', async () => {
    const back = join(folder, 'resumed.bin');
    const record = `${back}.part.json`;
    const parts = () => (existsSync(record) ? Number((JSON.parse(readFileSync(record, 'utf8')) as { done: number[][] }).done[0]?.[1]) : -1);
    const { child, ended } = start(['get', key, back, '--part-mib', '1', '--parallel', '1']);
    await until('some parts', async () => parts() > 2);
    child.kill('SIGKILL');
    expect((await ended).code).toBeNull();

    const again = await document('get', key, back);
    expect(again).toMatchObject({ exitCode: 0, proof: 'crc64nvme' });
    expect(again.resumedBytes).toBeGreaterThanOrEqual(3 * MIB);
    expect(readFileSync(back).equals(BODY)).toBe(true);
    rmSync(back);
  });
});

test('a version that is not the current one any more comes by its id', async () => {
  const versions: unknown[] = [];
  for (const body of ['first', 'second']) {
    await stack.drop('customer/versions.txt', body);
    await stack.settled();
    versions.push((await stack.get('customer/versions.txt', { method: 'HEAD' })).headers.get('x-sealdrop-version-id'));
  }
  expect((await sealdrop('get', 'customer/versions.txt', '-')).stdout).toBe('second');
  expect((await sealdrop('get', 'customer/versions.txt', '-', '--version-id', String(versions[0]))).stdout).toBe('first');
});

describe('what is put', () => {
  test('keeps its content type, metadata and tags, by one request and in parts', async () => {
    const small = join(folder, 'small.txt');
    writeFileSync(small, 'hello');
    const described = ['--content-type', 'text/plain', '--metadata', 'Owner=me = you', '--tag', 'class=a b', '--tag', 'year=2026'];
    for (const [source, key] of [
      [small, 's3/described.txt'],
      [file, 'dsse/described.bin'],
    ] as const) {
      const { code, stdout } = await sealdrop('put', source, key, ...described);
      expect(code).toBe(0);
      expect(stdout).toMatch(/version .*\nencrypted after .* s: /);
      const { headers } = await stack.get(key, { method: 'HEAD' });
      expect([headers.get('content-type'), headers.get('x-amz-meta-owner')]).toEqual(['text/plain', 'me = you']);
      const { TagSet } = await stack.s3.send(new GetObjectTaggingCommand({ Bucket: stack.ingestBucket, Key: key }));
      expect(TagSet).toEqual([
        { Key: 'class', Value: 'a b' },
        { Key: 'year', Value: '2026' },
      ]);
    }
  });

  test('may come from standard input, in parts of any length', async () => {
    const { child, ended } = start(['put', '-', 'customer/piped.bin', '--part-mib', '5', '--json']);
    for (let at = 0; at < BODY.length; at += 999_999) {
      if (!child.stdin.write(BODY.subarray(at, at + 999_999))) await once(child.stdin, 'drain');
    }
    child.stdin.end();
    expect(JSON.parse((await ended).stdout)).toMatchObject({ ok: true, outcome: 'encrypted', bytes: BODY.length });
    expect((await sealdrop('get', 'customer/piped.bin', '-')).bytes.equals(BODY)).toBe(true);
  });

  test('may be empty', async () => {
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    expect(await document('put', empty, 'dsse/')).toMatchObject({ exitCode: 0, key: 'dsse/empty', bytes: 0, outcome: 'encrypted' });
    expect(await document('get', 'dsse/empty', join(folder, 'empty-back'))).toMatchObject({ exitCode: 0, bytes: 0 });
    expect(readFileSync(join(folder, 'empty-back'))).toHaveLength(0);
  });

  test('is not followed where nobody waits, and needs no token then', async () => {
    const { code, stdout } = await start(['put', file, 's3/unwatched.bin', '--no-wait'], { SEALDROP_TOKEN: '', SEALDROP_API_URL: '' })
      .ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('encrypted');
    await stack.settled();
    expect((await stack.get('s3/unwatched.bin', { method: 'HEAD' })).status).toBe(200);
  });

  test('and cannot be encrypted is told by its code, with what to do', async () => {
    const put = await document('put', file, 'lost/twenty.bin');
    expect(put).toMatchObject({ exitCode: 1, ok: false, outcome: 'failed', code: 'kms-key-not-found' });
    expect(put).toMatchObject({ nextStep: expect.stringContaining('Correct the key ARN in policy.yml') });
    await stack.takeDeadLetters(1);
  });

  test('and is overtaken by a newer state is told so', async () => {
    const Bucket = stack.ingestBucket;
    const { $metadata: _, ...events } = await stack.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    await stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }));
    const { ended } = start(['put', file, 's3/overtaken.bin']);
    await until('the first state', async () => (await ingested('s3/overtaken.bin').catch(() => null)) !== null);
    await stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: events }));
    await stack.drop('s3/overtaken.bin', 'newer');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain('superseded');
  });

  test('and takes longer than anybody waits goes on by itself', async () => {
    const Bucket = stack.ingestBucket;
    const { $metadata: _, ...events } = await stack.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    await stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} }));
    const { code, stdout } = await sealdrop('put', file, 's3/slow.bin', '--timeout', '1');
    await stack.s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: events }));
    expect(code).toBe(1);
    expect(stdout).toMatch(/not encrypted within \d+\.\d s; it goes on by itself\.\n {2}→ npx sealdrop failures/);
  });

  test('and is ended by a signal leaves neither an object nor parts', async () => {
    const { child, ended } = start(['put', '-', 's3/broken.bin', '--part-mib', '5']);
    child.stdin.on('error', () => {});
    child.stdin.write(BODY);
    const uploads = async () => (await stack.s3.send(new ListMultipartUploadsCommand({ Bucket: stack.ingestBucket }))).Uploads ?? [];
    await until('an upload', async () => (await uploads()).length === 1);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([130, 'Interrupted before S3 said that it has the file.\n']);
    expect(await uploads()).toEqual([]);
    await expect(ingested('s3/broken.bin')).rejects.toMatchObject({ name: 'NotFound' });
  });
});

describe('a token', () => {
  test('stands alone on standard output, and says who, in which groups, for what and how long', async () => {
    const { code, stdout, stderr } = await sealdrop('token', '--sub', 'alice', '--groups', 'finance,other', '--ttl-minutes', '5');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { sub, groups, aud, iat = 0, exp = 0 } = decodeJwt(stdout.trim());
    expect({ sub, groups, aud, seconds: exp - iat }).toEqual({
      sub: 'alice',
      groups: ['finance', 'other'],
      aud: decodeJwt(stack.env.SEALDROP_TOKEN ?? '').aud,
      seconds: 300,
    });
    expect(decodeJwt(await tokenOf('--sub', 'a', '--audience', 'another')).aud).toBe('another');
  });

  test('opens what its group may read, and nothing else', async () => {
    for (const key of ['customer/rights.txt', 's3/rights.txt']) await stack.drop(key, key);
    await stack.settled();
    const SEALDROP_TOKEN = await tokenOf('--sub', 'alice', '--groups', 'finance');
    expect((await start(['get', 'customer/rights.txt', '-'], { SEALDROP_TOKEN }).ended).stdout).toBe('customer/rights.txt');
    const refused = await start(['get', 's3/rights.txt', '-'], { SEALDROP_TOKEN }).ended;
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /s3\/rights\.txt cannot be fetched: 403 forbidden\n {2}→ Ask for an access rule.*\n {2}Operators find it as urn:request:/,
    );
    expect(refused.stderr).not.toContain(SEALDROP_TOKEN);
  });

  test('for another audience opens nothing', async () => {
    const SEALDROP_TOKEN = await tokenOf('--sub', 'alice', '--groups', 'sealdrop-readers', '--audience', 'another');
    const { code, stderr } = await start(['get', 's3/rights.txt', '-'], { SEALDROP_TOKEN }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('401 unauthenticated');
  });

  test('that may not see the history follows nothing, and nothing is put', async () => {
    const SEALDROP_TOKEN = await tokenOf('--sub', 'alice', '--groups', 'finance');
    const { code, stderr } = await start(['put', file, 'customer/unseen.bin'], { SEALDROP_TOKEN }).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/history of customer\/unseen\.bin.*403 forbidden.*Nothing was put\.\n.*--no-wait/);
    await expect(ingested('customer/unseen.bin')).rejects.toMatchObject({ name: 'NotFound' });
  });

  test.each<[where: string, env: Record<string, string | undefined>, said: string]>([
    ['where no sandbox is named', { AWS_ENDPOINT_URL: undefined }, 'tokens come from your own issuer'],
    ['where AWS itself is named', { AWS_ENDPOINT_URL: 'https://s3.us-east-1.amazonaws.com' }, 'tokens come from your own issuer'],
    ['where nobody answers', { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }, 'There is no connection'],
    ['where something else answers', { AWS_ENDPOINT_URL: 'the API' }, 'no sandbox of Sealdrop'],
    ['with a guessed key', { AWS_SECRET_ACCESS_KEY: 'guessed' }, 'gives no token (403'],
  ])('is not there %s', async (_, env, said) => {
    const named = env.AWS_ENDPOINT_URL === 'the API' ? { AWS_ENDPOINT_URL: stack.env.SEALDROP_API_URL } : env;
    const { code, stdout, stderr } = await start(['token', '--sub', 'a'], named).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });

  test('is given to nobody but the administrator', async () => {
    const [name] = Object.keys(JSON.parse(stack.env.SEALDROP_FUNCTION_CREDENTIALS ?? '{}'));
    const { accessKeyId, secretAccessKey, sessionToken } = stack.sandbox.functionCredentials(String(name));
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
    const { code, stdout, stderr } = await start(['token', '--sub', 'a'], env).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Only the administrator of the sandbox may have tokens issued');
  });
});
