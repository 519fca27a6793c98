import { randomBytes } from 'node:crypto';
import { DecryptCommand } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { openMessage } from '../../src/s3-encryption-client/index.ts';
import { fakeKms, kmsError } from './fake-kms.ts';
import { read, readerDeps, refusalOf, sourceOf } from './reading.ts';
import { KEY_ARN, KINDS, LEGACY_KINDS, nameOf, write } from './write.ts';

const PLAINTEXT = randomBytes(100);
const OTHER_ARN = KEY_ARN.replace(/1$|5$/, '9');
const BY_KMS = [...KINDS, ...LEGACY_KINDS].filter(({ wrapping }) => wrapping.startsWith('kms'));
const WITH_CONTEXT = BY_KMS.filter(({ wrapping }) => wrapping === 'kms+context');
const context = { purpose: 'letters', über: 'größe €' };

describe.each(BY_KMS.map((kind) => ({ kind, name: nameOf(kind) })))('$name', ({ kind }) => {
  const name = kind.format === 'V3' ? 'x-amz-t' : 'x-amz-matdesc';

  it('asks KMS for the allowed key, with the whole context', async () => {
    const { client, mock } = fakeKms();
    const written = write(kind, { plaintext: PLAINTEXT, context });
    expect(await read(written, { kms: client, legacy: true })).toEqual(PLAINTEXT);
    const [call, ...others] = mock.commandCalls(DecryptCommand);
    expect(others).toHaveLength(0);
    const own =
      kind.wrapping === 'kms' ? { kms_cmk_id: KEY_ARN } : { 'aws:x-amz-cek-alg': kind.format === 'V3' ? '115' : 'AES/GCM/NoPadding' };
    expect(call?.args[0].input).toMatchObject({ KeyId: KEY_ARN, EncryptionContext: { ...context, ...own } });
  });

  it.each([
    { what: 'an entry changed', changed: { ...context, purpose: 'letterz' } },
    { what: 'an entry more', changed: { ...context, more: '1' } },
    { what: 'entries less', changed: {} },
  ])('refuses a context with $what', async ({ changed }) => {
    const written = write(kind, { plaintext: PLAINTEXT, context });
    const own = JSON.parse(written.metadata[name] ?? '') as Record<string, string>;
    const kept = Object.fromEntries(Object.entries(own).filter(([entry]) => !Object.hasOwn(context, entry)));
    const metadata = { ...written.metadata, [name]: JSON.stringify({ ...kept, ...changed }) };
    await refusalOf(read({ ...written, metadata }, { legacy: true }));
  });

  it('reads a context that S3 encoded twice', async () => {
    const written = write(kind, { plaintext: PLAINTEXT, context });
    const asLatin1 = Buffer.from(written.metadata[name] ?? '').toString('latin1');
    const metadata = { ...written.metadata, [name]: `=?UTF-8?B?${Buffer.from(asLatin1).toString('base64')}?=` };
    expect(await read({ ...written, metadata }, { legacy: true })).toEqual(PLAINTEXT);
  });

  it('refuses an object under a key that is not allowed', async () => {
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kmsKeyArns: [OTHER_ARN], legacy: true }));
  });

  it('asks no KMS when no key is allowed', async () => {
    const { client, mock } = fakeKms();
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client, kmsKeyArns: [], legacy: true }));
    expect(mock.calls()).toHaveLength(0);
  });

  it('zeroes the data key that KMS gave', async () => {
    const { client, mock } = fakeKms();
    await read(write(kind, { plaintext: PLAINTEXT }), { kms: client, legacy: true });
    const answer = await mock.commandCalls(DecryptCommand)[0]?.returnValue;
    expect(Buffer.from(answer?.Plaintext ?? [])).toEqual(Buffer.alloc(32));
  });
});

describe.each(WITH_CONTEXT.map((kind) => ({ kind, name: nameOf(kind) })))('$name', ({ kind }) => {
  const name = kind.format === 'V3' ? 'x-amz-t' : 'x-amz-matdesc';

  it.each([
    { what: 'does not name the suite', change: {} },
    { what: 'names another suite', change: { 'aws:x-amz-cek-alg': 'AES/CBC/PKCS5Padding' } },
  ])('refuses a context that $what, without asking KMS', async ({ change }) => {
    const { client, mock } = fakeKms();
    const written = write(kind, { plaintext: PLAINTEXT });
    const metadata = { ...written.metadata, [name]: JSON.stringify(change) };
    const error = await refusalOf(read({ ...written, metadata }, { kms: client }));
    expect(error.message).toContain('encryption context');
    expect(mock.calls()).toHaveLength(0);
  });
});

describe('several allowed keys', () => {
  const [kind] = WITH_CONTEXT as [(typeof WITH_CONTEXT)[0]];
  const both = [OTHER_ARN, KEY_ARN];

  it('are asked in turn', async () => {
    const { client, mock } = fakeKms();
    expect(await read(write(kind, { plaintext: PLAINTEXT }), { kms: client, kmsKeyArns: both })).toEqual(PLAINTEXT);
    expect(mock.commandCalls(DecryptCommand).map((call) => call.args[0].input.KeyId)).toEqual(both);
  });

  it('do not stop at one that is disabled', async () => {
    const { client, mock } = fakeKms();
    mock.on(DecryptCommand, { KeyId: OTHER_ARN }).rejects(kmsError('DisabledException'));
    expect(await read(write(kind, { plaintext: PLAINTEXT }), { kms: client, kmsKeyArns: both })).toEqual(PLAINTEXT);
  });

  it('are told disabled when none of the others opens it', async () => {
    const { client, mock } = fakeKms();
    mock.on(DecryptCommand, { KeyId: KEY_ARN }).rejects(kmsError('DisabledException'));
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client, kmsKeyArns: both }), 'kms-key-disabled');
  });

  it('are not asked further when KMS throttles', async () => {
    const { client, mock } = fakeKms();
    mock.on(DecryptCommand).rejects(kmsError('ThrottlingException'));
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client, kmsKeyArns: both }), 'throttled');
    expect(mock.calls()).toHaveLength(1);
  });
});

describe('what KMS answers', () => {
  const [kind] = WITH_CONTEXT as [(typeof WITH_CONTEXT)[0]];

  it.each([
    ['DisabledException', 'kms-key-disabled'],
    ['KMSInvalidStateException', 'kms-key-pending-deletion'],
    ['NotFoundException', 'kms-key-not-found'],
    ['AccessDeniedException', 'kms-key-denied'],
    ['InvalidCiphertextException', 'source-not-decryptable'],
    ['IncorrectKeyException', 'source-not-decryptable'],
    ['ThrottlingException', 'throttled'],
    ['SomethingElse', 'unknown'],
  ])('is translated: %s is %s', async (name, code) => {
    const { client, mock } = fakeKms();
    mock.on(DecryptCommand).rejects(kmsError(name));
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client }), code);
  });

  it.each([
    {
      what: 'is under another key',
      answer: { KeyId: OTHER_ARN, Plaintext: new Uint8Array(32) },
      why: 'another key than the one asked for',
    },
    { what: 'has no key', answer: { KeyId: KEY_ARN }, why: 'without a data key' },
    { what: 'has a key of 16 bytes', answer: { KeyId: KEY_ARN, Plaintext: new Uint8Array(16) }, why: '16 bytes instead of 32' },
  ])('is refused when it $what', async ({ answer, why }) => {
    const { client, mock } = fakeKms();
    mock.on(DecryptCommand).resolves(answer);
    const error = await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client }));
    expect(error.message).toContain(why);
  });

  it('can be given up: KMS is asked with the signal', async () => {
    const { client, mock } = fakeKms();
    const { signal } = new AbortController();
    const written = write(kind, { plaintext: PLAINTEXT });
    await openMessage(sourceOf(written), readerDeps(written, { kms: client, signal }));
    expect(mock.commandCalls(DecryptCommand)[0]?.args).toContainEqual({ abortSignal: signal });
  });
});
