/** From local file to local file, under a wrapping key. */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { PassThrough, Readable, Writable } from 'node:stream';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sealMessage } from '../../../src/envelope/index.ts';
import { collected, namingKeys } from '../../envelope/messages.ts';
import { decrypting, encrypting, KEY, makeFolder, mockSecret, SECRET, VERSION } from './commands.ts';

const MIB = 1024 * 1024;
const BY = ['--secret', SECRET];
const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring = () =>
  new RawAesKeyringNode({
    keyNamespace: 'sealdrop',
    keyName: VERSION,
    unencryptedMasterKey: Uint8Array.from(Buffer.from(KEY, 'hex')),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });

const secret = mockSecret();
let folder: ReturnType<typeof makeFolder>;

beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => {
  folder.remove();
  secret.resetHistory();
  vi.restoreAllMocks();
});

describe.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5])('a file of %i bytes', (size) => {
  const body = randomBytes(size);

  test('comes back the same, is readable by its owner alone, and leaves nothing beside it', async () => {
    folder.write('a', body);
    expect(await encrypting(folder.at('a'), folder.at('a.sealed'), ...BY)).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await decrypting(folder.at('a.sealed'), folder.at('back'), ...BY);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`cse-aes under version ${VERSION} of the secret`)]);
    expect(folder.read('back').equals(body)).toBe(true);
    expect(folder.names()).toEqual(['a', 'a.sealed', 'back']);
    expect([statSync(folder.at('back')).mode & 0o777, statSync(folder.at('a.sealed')).mode & 0o777]).toEqual([0o600, 0o600]);
  });
});

test('a message says sealdrop=cse and what --context says, and nothing else', async () => {
  folder.write('a', 'hello');
  await encrypting(folder.at('a'), folder.at('sealed'), ...BY, '--context', 'team=red');
  const { messageHeader } = await sdk.decrypt(keyring(), folder.read('sealed'));
  expect(messageHeader.encryptionContext).toEqual({ sealdrop: 'cse', team: 'red' });
});

describe('a message in a file', () => {
  beforeEach(async () => {
    folder.write('a', randomBytes(2 * MIB + 100));
    await encrypting(folder.at('a'), folder.at('sealed'), ...BY, '--context', 'team=red');
    folder.write('precious', 'precious');
  });

  test.each<[what: string, change: (message: Buffer) => Buffer]>([
    ['cut within a frame', (message) => message.subarray(0, -50)],
    ['cut between two frames', (message) => message.subarray(0, -(100 + 40))],
    ['cut within its header', (message) => message.subarray(0, 40)],
    ['empty', () => Buffer.alloc(0)],
    ['with something behind it', (message) => Buffer.concat([message, Buffer.from('x')])],
    ['with a bit flipped in its header', (message) => flipped(message, 60)],
    ['with a bit flipped in its first frame', (message) => flipped(message, 1000)],
    ['with a bit flipped in its last frame', (message) => flipped(message, message.length - 30)],
    ['that is no message at all', () => Buffer.from('just some words, which are no message at all')],
  ])('%s is refused with 1, makes no file, and leaves one that is there as it is', async (_, change) => {
    folder.write('changed', change(folder.read('sealed')));
    const before = folder.names();
    expect(await decrypting(folder.at('changed'), folder.at('back'), ...BY)).toMatchObject({ code: 1, stdout: '' });
    expect(folder.names()).toEqual(before);
    const { code, stderr } = await decrypting(folder.at('changed'), folder.at('precious'), ...BY, '--force');
    expect([code, folder.read('precious').toString()]).toEqual([1, 'precious']);
    expect(stderr).toContain('changed');
    expect(folder.names()).toEqual(before);
  });

  test('is not put over a file that is there, unless --force says so, and not before it is proven', async () => {
    const refused = await decrypting(folder.at('sealed'), folder.at('precious'), ...BY);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is there already.\n  → --force overwrites it; or say another TARGET.'),
    });
    expect((await encrypting(folder.at('a'), folder.at('precious'), ...BY)).stderr).toContain('or say another TARGET.');
    expect(folder.read('precious').toString()).toBe('precious');
    expect((await decrypting(folder.at('sealed'), folder.at('precious'), ...BY, '--force')).code).toBe(0);
    expect(folder.read('precious').equals(folder.read('a'))).toBe(true);
  });

  test('opens for a context that it has, and not for another', async () => {
    expect((await decrypting(folder.at('sealed'), folder.at('one'), ...BY, '--context', 'team=red')).code).toBe(0);
    for (const pair of ['team=blue', 'bucket=b']) {
      const { code, stderr } = await decrypting(folder.at('sealed'), folder.at('two'), ...BY, '--context', pair);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`another ${pair.split('=')[0]}`)]);
    }
    expect(folder.names()).not.toContain('two');
  });

  test('needs its secret, and says so', async () => {
    const { code, stderr } = await decrypting(folder.at('sealed'), folder.at('back'));
    expect([code, stderr]).toEqual([1, 'It is under the wrapping key of a secret.\n  → Say --secret NAME-OR-ARN.']);
    const other = await decrypting(folder.at('sealed'), folder.at('back'), '--secret', 'another');
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('Does --secret name the secret that is meant') });
  });

  test('is what a folder takes under its own name', async () => {
    mkdirSync(folder.at('there'));
    expect((await decrypting(folder.at('sealed'), folder.at('there'), ...BY)).code).toBe(0);
    expect(folder.names('there')).toEqual(['sealed']);
  });

  test('is told of in one JSON document', async () => {
    const { stdout } = await decrypting(folder.at('sealed'), folder.at('back'), ...BY, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, ok: true, bytes: 2 * MIB + 100, mode: 'cse-aes', wrappingKeyVersion: VERSION });
    const failed = await decrypting(folder.at('a'), folder.at('none'), ...BY, '--json');
    expect(JSON.parse(failed.stdout)).toMatchObject({ version: 1, ok: false, code: 'ciphertext-invalid' });
  });
});

describe('a message that the Encryption SDK wrote itself', () => {
  test.each([
    ['unsigned', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY],
    ['signed', AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384],
  ])('%s opens with --any-context alone', async (_, suiteId) => {
    const body = randomBytes(10_000);
    const { result } = await sdk.encrypt(keyring(), body, { suiteId, encryptionContext: { purpose: 'test' } });
    folder.write('foreign', result);
    const refused = await decrypting(folder.at('foreign'), folder.at('back'), ...BY);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--any-context')]);
    expect((await decrypting(folder.at('foreign'), folder.at('back'), ...BY, '--any-context', '--context', 'purpose=test')).code).toBe(0);
    expect(folder.read('back').equals(body)).toBe(true);
  });
});

describe('a message that names KMS keys', () => {
  const [MINE, FOREIGN] = ['1', '2'].map(
    (account) => `arn:aws:kms:eu-west-1:${account.repeat(12)}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  ) as [string, string];
  const kms = mockClient(KMSClient);

  async function write(...keyArns: string[]) {
    const { chunks } = await sealMessage(Readable.from([Buffer.from('hello')]), {
      context: { sealdrop: 'cse' },
      dataKeys: namingKeys(...keyArns),
    });
    folder.write('sealed', await collected(chunks));
  }
  const opened = (...args: string[]) => decrypting(folder.at('sealed'), folder.at('back'), '--force', ...args);

  beforeEach(() => {
    kms.on(DecryptCommand).callsFake(async ({ KeyId, CiphertextBlob }) => {
      if (KeyId !== FOREIGN) throw Object.assign(new Error('not for you'), { name: 'AccessDeniedException' });
      return { KeyId, Plaintext: CiphertextBlob };
    });
  });
  afterEach(() => kms.reset());

  test('is told under the one that opened it, whichever it names first', async () => {
    await write(MINE, FOREIGN);
    const { code, stdout } = await opened('--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ mode: 'cse-kms', keyArn: FOREIGN })]);
    expect(await opened('--kms-key', MINE)).toMatchObject({ code: 1 });
  });

  test('does not open where a secret alone is said', async () => {
    await write(FOREIGN);
    const refused = await opened(...BY);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`It is under ${FOREIGN}, not under the wrapping key of a secret`),
    ]);
    for (const args of [[], [...BY, '--kms-key', FOREIGN]]) expect((await opened(...args)).code).toBe(0);
  });
});

describe('what is read', () => {
  test('is not replaced by what is made of it, by whatever name, nor with --force', async () => {
    folder.write('a', 'precious');
    linkSync(folder.at('a'), folder.at('same'));
    mkdirSync(folder.at('there'));
    for (const target of ['a', 'same', '.', 'there/../a']) {
      const { code, stderr } = await encrypting(folder.at('a'), folder.at(target), ...BY, '--force');
      expect([code, stderr]).toEqual([1, expect.stringContaining('is SOURCE itself')]);
    }
    await encrypting(folder.at('a'), folder.at('sealed'), ...BY);
    const before = folder.read('sealed');
    const { code, stderr } = await decrypting(folder.at('sealed'), folder.path, ...BY, '--force');
    expect([code, stderr]).toEqual([1, expect.stringContaining('is SOURCE itself')]);
    expect([folder.read('a').toString(), folder.read('sealed').equals(before)]).toEqual(['precious', true]);
    expect(folder.names()).toEqual(['a', 'same', 'sealed', 'there']);
  });

  test.each([
    ['in', 'in/out'],
    ['in/b', 'in'],
    ['in/b', 'link'],
    ['link', 'in/out'],
  ])('is a folder apart from the target (%s → %s)', async (source, target) => {
    mkdirSync(folder.at('in/b/b'), { recursive: true });
    symlinkSync(folder.at('in'), folder.at('link'));
    folder.write('in/b/a', 'precious');
    folder.write('in/b/b/a', 'other');
    for (const command of [encrypting, decrypting]) {
      const { code, stderr } = await command(folder.at(source), folder.at(target), ...BY, '--recursive', '--force');
      expect([code, stderr]).toEqual([2, expect.stringMatching(/lies within/)]);
    }
    expect([folder.names('in'), folder.read('in/b/a').toString()]).toEqual([['b'], 'precious']);
  });
});

describe('pipes', () => {
  /** The process's own for as long as a test takes. */
  function pipes(input: AsyncIterable<Buffer> | Iterable<Buffer>) {
    const given: Buffer[] = [];
    const stdout = new Writable({ write: (chunk: Buffer, _, done) => done(void given.push(Buffer.from(chunk))) });
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(input, { objectMode: false }) as typeof process.stdin);
    vi.spyOn(process, 'stdout', 'get').mockReturnValue(stdout as typeof process.stdout);
    return () => Buffer.concat(given);
  }
  const body = randomBytes(3 * MIB + 7);
  function* pieces(bytes: Buffer) {
    for (let at = 0; at < bytes.length; at += 65_537) yield bytes.subarray(at, at + 65_537);
  }

  test('carry plaintext in and a message out, and back, with what is said of them apart', async () => {
    const sealed = pipes(pieces(body));
    const { code, stdout, stderr } = await encrypting('-', '-', ...BY);
    expect([code, stdout, stderr]).toEqual([0, '', expect.stringContaining('standard input → standard output')]);
    const opened = pipes(pieces(sealed()));
    expect((await decrypting('-', '-', ...BY)).code).toBe(0);
    expect(opened().equals(body)).toBe(true);
  });

  test('give out proven frames alone, and tell where they are not the whole', async () => {
    const sealed = pipes(pieces(body));
    await encrypting('-', '-', ...BY);
    const opened = pipes(pieces(sealed().subarray(0, -20)));
    const { code, stderr } = await decrypting('-', '-', ...BY);
    expect([code, stderr]).toEqual([1, expect.stringContaining('What came on standard output is not the whole')]);
    expect(opened().equals(body.subarray(0, 3 * MIB))).toBe(true);
  });

  test('that break while they are read make no file', async () => {
    async function* broken() {
      yield body;
      throw Object.assign(new Error('read EIO'), { syscall: 'read', errno: -5 });
    }
    pipes(broken());
    expect(await encrypting('-', folder.at('sealed'), ...BY)).toMatchObject({ code: 1, stderr: expect.stringContaining('read EIO') });
    expect(folder.names()).toEqual([]);
  });

  test('that nobody reads any more end the command with 1', async () => {
    pipes(pieces(body));
    const closed = new PassThrough();
    closed.destroy(new Error('write EPIPE'));
    vi.spyOn(process, 'stdout', 'get').mockReturnValue(closed as unknown as typeof process.stdout);
    closed.on('error', () => {});
    expect(await encrypting('-', '-', ...BY)).toMatchObject({ code: 1, stderr: expect.stringContaining('Standard output was closed') });
  });
});

describe('a folder', () => {
  beforeEach(() => {
    mkdirSync(folder.at('in/deep/er'), { recursive: true });
    folder.write('in/a', 'one');
    folder.write('in/deep/er/é', 'two');
    folder.write('in/empty', '');
    symlinkSync(folder.at('in/a'), folder.at('in/link'));
  });

  test('goes and comes back file by file, without its links', async () => {
    const there = await encrypting(folder.at('in'), folder.at('sealed'), ...BY, '--recursive');
    expect(there).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('3 files, 6 B') });
    expect(there.stdout).toContain('1 link or special file left out');
    const back = await decrypting(folder.at('sealed'), folder.at('back'), ...BY, '--recursive');
    expect(back).toMatchObject({ code: 0, stderr: '' });
    expect(folder.names('back')).toEqual(['a', 'deep', 'empty']);
    expect([folder.read('back/a').toString(), folder.read('back/deep/er/é').toString()]).toEqual(['one', 'two']);
  });

  test('of which one does not open comes without it, with 1 and its name', async () => {
    await encrypting(folder.at('in'), folder.at('sealed'), ...BY, '--recursive');
    folder.write('sealed/deep/er/é', flipped(folder.read('sealed/deep/er/é'), -1));
    const { code, stdout, stderr } = await decrypting(folder.at('sealed'), folder.at('back'), ...BY, '--recursive');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/2 files.*; 1 failed$/)]);
    expect(stderr).toContain('deep/er/é: frame 1 is not as it was written');
    expect([folder.names('back'), folder.names('back/deep/er')]).toEqual([['a', 'deep', 'empty'], []]);
    const json = await decrypting(folder.at('sealed'), folder.at('again'), ...BY, '--recursive', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, files: 2, failed: [{ name: 'deep/er/é', code: 'ciphertext-invalid' }] });
  });

  test('is refused with 2 unless --recursive says so, and where it is empty', async () => {
    expect(await encrypting(folder.at('in'), folder.at('x'), ...BY)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--recursive'),
    });
    mkdirSync(folder.at('void'));
    expect(await encrypting(folder.at('void'), folder.at('x'), ...BY, '--recursive')).toMatchObject({ code: 2 });
    expect(folder.names()).toEqual(['in', 'void']);
  });
});

test('a file that changes while it is read is not encrypted', async () => {
  folder.write('a', randomBytes(MIB));
  const { bytesOf, openSource } = await import('../../../cli/envelope/plaintext.ts');
  const source = await openSource({ kind: 'file', path: folder.at('a') }, process.stdin);
  folder.write('a', randomBytes(MIB + 10));
  const read = async () => {
    for await (const _ of bytesOf(source, new AbortController().signal, () => {}));
  };
  await expect(read()).rejects.toThrow('changed while it was read');
});

test.each([
  ['nothing', 2],
  ['here/out', 1],
])('a wrong path is told by name (%s)', async (name, code) => {
  folder.write('a', 'x');
  const [from, to] = code === 2 ? [folder.at(name), folder.at('b')] : [folder.at('a'), folder.at(name)];
  expect(await encrypting(from, to, ...BY)).toMatchObject({ code, stderr: expect.stringContaining(name.split('/')[0] ?? '') });
});

test.each([encrypting, decrypting])('wrong arguments end with 2 and the usage', async (command) => {
  expect(await command('a')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/TARGET: which one\?\n\nnpx sealdrop/) });
  expect(await command('--help')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Exit codes: 0') });
});

function flipped(message: Buffer, at: number): Buffer {
  const changed = Buffer.from(message);
  const position = at < 0 ? message.length + at : at;
  changed.writeUInt8(message.readUInt8(position) ^ 1, position);
  return changed;
}
