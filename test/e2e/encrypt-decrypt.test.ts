/** `sealdrop encrypt` and `sealdrop decrypt` as a shell starts them, against a stack that runs. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildClient, CommitmentPolicy, KmsKeyringNode, type KmsKeyringNodeInput } from '@aws-crypto/client-node';
import { CreateKeyCommand, KMS } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stackClients } from '../../local/clients.ts';
import { startCommand } from './command.ts';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const BUCKET = 'sealdrop-envelopes-of-our-own';
/** Three parts of an upload, the last of them short. */
const BODY = randomBytes(20_000_000);

let stack: LocalStack;
let folder: string;
let file: string;
let kmsKey: string;
let wrappingSecret: string;
let customerSecret: string;

beforeAll(async () => {
  stack = await startLocalStack();
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-encrypt-'));
  file = join(folder, 'twenty.bin');
  writeFileSync(file, BODY);
  // The stack's own key is for the stack's own functions.
  kmsKey = (await stack.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  wrappingSecret = stack.env.SEALDROP_WRAPPING_KEY_SECRET ?? '';
  customerSecret = stack.env.SEALDROP_CUSTOMER_KEY_SECRET ?? '';
  await stack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  // New buckets refuse SSE-C: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-s3-c-encryption-setting-faq.html
  const rule = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const },
    BlockedEncryptionTypes: { EncryptionType: ['NONE' as const] },
  };
  await stack.s3.send(new PutBucketEncryptionCommand({ Bucket: BUCKET, ServerSideEncryptionConfiguration: { Rules: [rule] } }));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as it is installed, through `bin/`. */
const start = (args: string[], env: Record<string, string | undefined> = {}) =>
  startCommand(['bin/sealdrop.js', ...args], { ...stack.env, ...env });

const sealdrop = (...args: string[]) => start(args).ended;

async function piped(input: Buffer, ...args: string[]) {
  const { child, ended } = start(args);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return ended;
}

const at = (name: string) => join(folder, name);
const head = (Key: string) => stack.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
async function stored(Bucket: string, Key: string): Promise<Buffer> {
  const { Body } = await stack.s3.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}
const uploads = async () => (await stack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];

interface ModeCase {
  mode: string;
  keys: () => string[];
  /** What decrypting needs. */
  open: () => string[];
  atS3: () => object;
  coding?: string;
}

const MODES: ModeCase[] = [
  { mode: 'sse-s3', keys: () => [], open: () => [], atS3: () => ({ ServerSideEncryption: 'AES256' }) },
  {
    mode: 'sse-kms',
    keys: () => ['--kms-key', kmsKey],
    open: () => ['--kms-key', kmsKey],
    atS3: () => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey, BucketKeyEnabled: true }),
  },
  {
    mode: 'dsse-kms',
    keys: () => ['--kms-key', 'aws/s3'],
    open: () => ['--kms-key', 'aws/s3'],
    atS3: () => ({ ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: expect.stringMatching(/^arn:aws:kms:/) }),
  },
  { mode: 'sse-c', keys: () => ['--secret', customerSecret], open: () => ['--secret', customerSecret], atS3: () => ({}) },
  {
    mode: 'cse-kms',
    keys: () => ['--kms-key', kmsKey],
    open: () => [],
    atS3: () => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey }),
    coding: 'x-sealdrop-cse-kms',
  },
  {
    mode: 'cse-aes',
    keys: () => ['--secret', wrappingSecret],
    open: () => ['--secret', wrappingSecret],
    atS3: () => ({ ServerSideEncryption: 'AES256' }),
    coding: 'x-sealdrop-cse-aes',
  },
];

describe.each(MODES)('under $mode', ({ mode, keys, open, atS3, coding }) => {
  const key = `modes/${mode}.bin`;

  test('20 MB go to S3 in parts, encrypted as asked, and come back the same', async () => {
    const there = await sealdrop(
      'encrypt',
      file,
      `s3://${BUCKET}/${key}`,
      '--mode',
      mode,
      ...keys(),
      '--content-type',
      'text/x-test',
      '--json',
    );
    expect({ code: there.code, stderr: there.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(there.stdout)).toMatchObject({ ok: true, bytes: BODY.length, mode, target: `s3://${BUCKET}/${key}` });
    if (mode === 'sse-c') await expect(head(key)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    else {
      const found = await head(key);
      expect(found).toMatchObject({ ContentType: 'text/x-test', ETag: expect.stringMatching(/-3"$/), ...atS3() });
      expect(found.ContentEncoding).toBe(coding);
      expect((await stored(BUCKET, key)).includes(BODY.subarray(5000, 5100))).toBe(coding === undefined);
    }
    const back = at(`${mode}.back`);
    const came = await sealdrop('decrypt', `s3://${BUCKET}/${key}`, back, ...open(), '--json');
    expect({ code: came.code, stderr: came.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(came.stdout)).toMatchObject({ ok: true, bytes: BODY.length, mode });
    expect(readFileSync(back).equals(BODY)).toBe(true);
  });

  test('few bytes and none come back the same through pipes', async () => {
    for (const body of [Buffer.from('hello'), Buffer.alloc(0)]) {
      const place = `s3://${BUCKET}/small/${mode}`;
      const there = await piped(body, 'encrypt', '-', place, '--mode', mode, ...keys(), '--force');
      expect({ code: there.code, stderr: there.stderr }).toEqual({ code: 0, stderr: '' });
      const back = await sealdrop('decrypt', place, '-', ...open());
      expect({ code: back.code, text: back.stdout }).toEqual({ code: 0, text: body.toString() });
    }
  });

  test('an object is not written over, unless --force says so', async () => {
    const place = `s3://${BUCKET}/${key}`;
    const again = await sealdrop('encrypt', file, place, '--mode', mode, ...keys());
    expect([again.code, again.stderr]).toEqual([1, `${place} is there already.\n  → --force overwrites it; or say another KEY.\n`]);
    expect((await piped(Buffer.from('newer'), 'encrypt', '-', place, '--mode', mode, ...keys(), '--force')).code).toBe(0);
    expect((await sealdrop('decrypt', place, '-', ...open())).stdout).toBe('newer');
  });
});

describe('pipes of real processes', () => {
  test('carry 20 MB through a message on standard output, and into S3 and out of it', async () => {
    const sealed = await piped(BODY, 'encrypt', '-', '-', '--kms-key', kmsKey);
    expect([sealed.code, sealed.stderr]).toEqual([0, expect.stringContaining(`cse-kms under ${kmsKey}`)]);
    expect((await piped(sealed.bytes, 'decrypt', '-', '-')).bytes.equals(BODY)).toBe(true);

    expect((await piped(BODY, 'encrypt', '-', `s3://${BUCKET}/piped`, '--kms-key', kmsKey)).code).toBe(0);
    expect((await sealdrop('decrypt', `s3://${BUCKET}/piped`, '-')).bytes.equals(BODY)).toBe(true);
  });

  test('that end with a cut message end with 1, and say so', async () => {
    const sealed = await piped(BODY, 'encrypt', '-', '-', '--kms-key', kmsKey);
    const { code, stderr } = await piped(sealed.bytes.subarray(0, -10), 'decrypt', '-', '-');
    expect([code, stderr]).toEqual([1, expect.stringContaining('What came on standard output is not the whole')]);
  });

  test('that are interrupted leave neither an object nor an upload nor a file', async () => {
    const { child, ended } = start(['encrypt', '-', `s3://${BUCKET}/broken`, '--kms-key', kmsKey]);
    child.stdin.on('error', () => {});
    child.stdin.write(BODY);
    await until('an upload', async () => (await uploads()).length === 1);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([130, 'Interrupted before S3 said that it has the object.\n']);
    expect(await uploads()).toEqual([]);
    await expect(head('broken')).rejects.toMatchObject({ name: 'NotFound' });

    mkdirSync(at('broken'));
    const local = start(['encrypt', '-', at('broken/sealed'), '--kms-key', kmsKey]);
    local.child.stdin.on('error', () => {});
    local.child.stdin.write(BODY);
    await until('a beginning', async () => readdirSync(at('broken')).length === 1);
    local.child.kill('SIGTERM');
    const broken = await local.ended;
    expect([broken.code, broken.stderr, readdirSync(at('broken'))]).toEqual([143, 'Interrupted. Nothing of it was kept.\n', []]);
  });
});

describe('a message in S3', () => {
  test('names its bucket and key, and opens nowhere else unless that is said', async () => {
    await sealdrop('encrypt', file, `s3://${BUCKET}/place/here`, '--kms-key', kmsKey);
    const message = await stored(BUCKET, 'place/here');
    const ContentEncoding = 'x-sealdrop-cse-kms';
    await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'place/moved', Body: message, ContentEncoding }));
    const moved = await sealdrop('decrypt', `s3://${BUCKET}/place/moved`, at('moved'));
    expect([moved.code, moved.stderr]).toEqual([1, expect.stringContaining('says another key')]);
    expect(existsSync(at('moved'))).toBe(false);
    expect((await sealdrop('decrypt', `s3://${BUCKET}/place/moved`, at('moved'), '--context', 'key=place/here')).code).toBe(0);

    // As anybody downloads it.
    writeFileSync(at('downloaded'), message);
    expect((await sealdrop('decrypt', at('downloaded'), at('opened'))).code).toBe(0);
    expect((await sealdrop('decrypt', at('downloaded'), at('not'), '--context', 'key=other')).code).toBe(1);
    for (const name of ['moved', 'opened']) expect(readFileSync(at(name)).equals(BODY)).toBe(true);
  });

  test('opens under the KMS key that --kms-key names alone', async () => {
    await piped(Buffer.from('mine'), 'encrypt', '-', `s3://${BUCKET}/restricted`, '--kms-key', kmsKey);
    const other = kmsKey.replace(/[^/]+$/, '00000000-0000-0000-0000-000000000000');
    const refused = await sealdrop('decrypt', `s3://${BUCKET}/restricted`, '-', '--kms-key', other);
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      1,
      '',
      expect.stringContaining(`It is under ${kmsKey}, which --kms-key does not name`),
    ]);
    expect((await sealdrop('decrypt', `s3://${BUCKET}/restricted`, '-', '--kms-key', other, '--kms-key', kmsKey)).stdout).toBe('mine');
    const atS3 = await sealdrop('decrypt', `s3://${BUCKET}/modes/sse-kms.bin`, '-', '--kms-key', other);
    expect([atS3.code, atS3.stderr]).toEqual([1, expect.stringContaining('which --kms-key does not name')]);
  });

  test('that somebody cut or changed is refused', async () => {
    await sealdrop('encrypt', file, `s3://${BUCKET}/cut`, '--kms-key', kmsKey);
    const message = await stored(BUCKET, 'cut');
    const changed = Buffer.from(message);
    changed.writeUInt8(message.readUInt8(9_000_000) ^ 1, 9_000_000);
    for (const Body of [message.subarray(0, 15_000_000), changed]) {
      await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'cut', Body, ContentEncoding: 'x-sealdrop-cse-kms' }));
      const { code, stderr } = await sealdrop('decrypt', `s3://${BUCKET}/cut`, at('cut'));
      expect([code, stderr]).toEqual([1, expect.stringMatching(/frame \d+/)]);
      expect(existsSync(at('cut'))).toBe(false);
    }
  });

  test('that the Encryption SDK wrote itself, signed, opens with --any-context', async () => {
    const { config } = stackClients(stack.env);
    const keyring = new KmsKeyringNode({ generatorKeyId: kmsKey, clientProvider: () => asClient(new KMS(config)) });
    const { result } = await buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT).encrypt(keyring, BODY, {
      encryptionContext: { purpose: 'test' },
    });
    writeFileSync(at('foreign'), result);
    const refused = await sealdrop('decrypt', at('foreign'), at('foreign.open'));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--any-context')]);
    expect((await sealdrop('decrypt', at('foreign'), at('foreign.open'), '--any-context')).code).toBe(0);
    expect(readFileSync(at('foreign.open')).equals(BODY)).toBe(true);

    await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'foreign', Body: result }));
    const place = `s3://${BUCKET}/foreign`;
    expect((await sealdrop('decrypt', place, '-', '--any-context', '--mode', 'cse-kms')).bytes.equals(BODY)).toBe(true);
    // Nothing says there that it is a message but its beginning.
    const unsaid = await sealdrop('decrypt', place, '-');
    expect([unsaid.code, unsaid.stdout, unsaid.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('looks like a message of the Encryption SDK'),
    ]);
    expect((await sealdrop('decrypt', place, '-', '--mode', 'sse-s3')).bytes.equals(result)).toBe(true);
  });
});

/** The keyring's own type of a client wants no member to be `undefined`. */
const asClient = (client: unknown) => client as Exclude<ReturnType<NonNullable<KmsKeyringNodeInput['clientProvider']>>, false>;

describe('what the pipeline wrote', () => {
  test.each([
    ['wrapped/', () => ['--secret', wrappingSecret]],
    ['customer/', () => ['--secret', customerSecret]],
    ['bucket-key/', () => []],
    ['sealed/', () => []],
    ['shared-key/', () => []],
  ])('under %s opens straight from the target bucket, for whom may break the glass', async (prefix, open) => {
    const key = `${prefix}straight.txt`;
    await stack.drop(key, `dropped under ${prefix}`);
    await stack.settled();
    const { code, stdout } = await sealdrop('decrypt', `s3://${stack.targetBucket}/${key}`, '-', ...open());
    expect([code, stdout]).toEqual([0, `dropped under ${prefix}`]);
  });

  test('is not where encrypt may write', async () => {
    const { code, stderr } = await sealdrop('encrypt', file, `s3://${stack.targetBucket}/s3/foreign`, '--kms-key', kmsKey);
    expect([code, stderr]).toEqual([1, expect.stringContaining('whose own policy may refuse other writers')]);
  });
});

describe('a folder', () => {
  const files: Record<string, Buffer> = {
    a: Buffer.from('one'),
    'deep/er/é +%.txt': Buffer.from('two'),
    empty: Buffer.alloc(0),
    'deep/large': BODY,
  };

  beforeAll(() => {
    for (const [name, body] of Object.entries(files)) {
      mkdirSync(join(at('in'), name, '..'), { recursive: true });
      writeFileSync(join(at('in'), name), body);
    }
  });
  const same = (where: string) => Object.entries(files).filter(([name, body]) => !readFileSync(join(at(where), name)).equals(body));

  test.each([
    ['cse-kms', () => ['--kms-key', kmsKey], () => []],
    ['sse-c', () => ['--secret', customerSecret], () => ['--secret', customerSecret]],
  ])('goes to a prefix and comes back, under %s', async (mode, keys, open) => {
    const prefix = `s3://${BUCKET}/folders/${mode}/`;
    const there = await sealdrop('encrypt', at('in'), prefix, '--recursive', '--mode', mode, ...keys());
    expect([there.code, there.stderr, there.stdout]).toEqual([0, '', expect.stringContaining('4 files, 20.0 MB')]);
    const back = await sealdrop('decrypt', prefix, at(`${mode}.folder`), '--recursive', ...open());
    expect([back.code, back.stderr, back.stdout]).toEqual([0, '', expect.stringContaining('4 files, 20.0 MB')]);
    expect(same(`${mode}.folder`)).toEqual([]);
  });

  test('comes out of S3 without what would lead out of it, each told, with 1', async () => {
    for (const Key of ['escape/ok', 'escape/a/../../out', 'escape/..', 'escape//etc', 'escape/folder/', 'escape/ok/below']) {
      await stack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
    }
    mkdirSync(at('jail'));
    const { code, stdout, stderr } = await sealdrop('decrypt', `s3://${BUCKET}/escape/`, at('jail/in'), '--recursive');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/1 file, .*5 failed\n$/)]);
    // Of `ok` and `ok/below` one is in the other's way.
    for (const name of ['a/../../out', '..:', '/etc', 'folder/', 'jail/in/ok']) expect(stderr).toContain(name);
    expect([readdirSync(at('jail')), readdirSync(at('jail/in')).sort()]).toEqual([['in'], ['ok']]);
  });

  test('that is there already is refused file by file, and the rest goes on', async () => {
    writeFileSync(join(at('in'), 'added'), 'new');
    const { code, stdout, stderr } = await sealdrop(
      'encrypt',
      at('in'),
      `s3://${BUCKET}/folders/cse-kms/`,
      '--recursive',
      '--kms-key',
      kmsKey,
    );
    rmSync(join(at('in'), 'added'));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/1 file, .*4 failed\n$/)]);
    expect(stderr.match(/is there already/g)).toHaveLength(4);
  });
});

describe('a customer key that was rotated since', () => {
  test('opens by the version that it was, once that is said', async () => {
    const { ARN = '', VersionId = '' } = await stack.secrets.send(
      new CreateSecretCommand({ Name: 'rotated', SecretString: 'ab'.repeat(32) }),
    );
    await piped(Buffer.from('old'), 'encrypt', '-', `s3://${BUCKET}/rotated`, '--mode', 'sse-c', '--secret', ARN);
    await stack.secrets.send(new PutSecretValueCommand({ SecretId: ARN, SecretString: 'cd'.repeat(32) }));
    const refused = await sealdrop('decrypt', `s3://${BUCKET}/rotated`, '-', '--secret', ARN);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--secret-version ID')]);
    expect((await sealdrop('decrypt', `s3://${BUCKET}/rotated`, '-', '--secret', ARN, '--secret-version', VersionId)).stdout).toBe('old');
  });

  test('is asked for where S3 wants one', async () => {
    const { code, stderr } = await sealdrop('decrypt', `s3://${BUCKET}/rotated`, '-');
    expect([code, stderr]).toEqual([1, expect.stringContaining('is under sse-c.\n  → Say --secret')]);
  });
});

describe('what cannot be done', () => {
  test.each<[what: string, args: () => string[], code: number, said: string]>([
    ['no such object', () => ['decrypt', `s3://${BUCKET}/none`, '-'], 1, 'there is no such object'],
    ['no such bucket', () => ['decrypt', 's3://sealdrop-no-such-bucket/k', '-'], 1, 'There is no bucket sealdrop-no-such-bucket'],
    ['no such bucket to write', () => ['encrypt', file, 's3://sealdrop-no-such-bucket/k', '--kms-key', kmsKey], 1, 'does not exist'],
    [
      'no such KMS key',
      () => ['encrypt', file, at('k'), '--kms-key', kmsKey.replace(/[^/]+$/, '00000000-0000-0000-0000-000000000000')],
      1,
      'does not exist',
    ],
    ['no such secret', () => ['encrypt', file, at('k'), '--secret', 'none'], 1, 'Does --secret name the secret that is meant'],
    [
      'a bucket of another account',
      () => ['encrypt', file, `s3://${BUCKET}/k`, '--kms-key', kmsKey, '--bucket-owner', '999999999999'],
      1,
      '--bucket-owner',
    ],
    ['another mode', () => ['decrypt', `s3://${BUCKET}/small/sse-s3`, '-', '--mode', 'sse-kms'], 1, 'is under sse-s3, not under sse-kms'],
    ['an empty prefix', () => ['decrypt', `s3://${BUCKET}/nothing/`, at('none'), '--recursive'], 2, 'Nothing to decrypt lies in'],
    ['no file', () => ['encrypt', at('nothing'), at('k'), '--kms-key', kmsKey], 2, 'cannot be read'],
    ['no key', () => ['encrypt', file, at('k')], 2, 'Under which key?'],
  ])('is told: %s', async (_, args, code, said) => {
    const { stdout, stderr, code: ended } = await sealdrop(...args());
    expect([ended, stdout, stderr]).toEqual([code, '', expect.stringContaining(said)]);
    expect(existsSync(at('k'))).toBe(false);
  });

  test('is told with 2 where nobody answers, or knows the caller', async () => {
    const silent = await start(['decrypt', `s3://${BUCKET}/x`, '-'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }).ended;
    expect([silent.code, silent.stderr]).toEqual([2, expect.stringContaining('There is no connection')]);
    const stranger = await start(['encrypt', file, `s3://${BUCKET}/x`, '--kms-key', kmsKey], { AWS_SECRET_ACCESS_KEY: 'guessed' }).ended;
    expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining('There are no credentials that AWS takes')]);
  });

  test('leaves no upload behind', async () => {
    expect(await uploads()).toEqual([]);
    const { Contents = [] } = await stack.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'broken' }));
    expect(Contents).toEqual([]);
  });
});
