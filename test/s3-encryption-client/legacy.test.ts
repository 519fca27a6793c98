import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openMessage } from '../../src/s3-encryption-client/index.ts';
import { fakeKms } from './fake-kms.ts';
import { flipped, flippedBase64, read, readerDeps, refusalOf, sourceOf } from './reading.ts';
import { type Kind, LEGACY_KINDS, nameOf, WRAPPING_KEY, write } from './write.ts';

const PLAINTEXT = randomBytes(100);
const CBC = LEGACY_KINDS.filter(({ content }) => content === 'cbc');

it.each(LEGACY_KINDS.map((kind) => ({ kind, name: nameOf(kind) })))(
  'refuses $name without the option, which it names',
  async ({ kind }) => {
    const { client, mock } = fakeKms();
    const wrappingKey = () => Promise.reject(new Error('asked for'));
    const error = await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { kms: client, wrappingKey }));
    expect(error.message).toContain('only with the option legacy');
    expect(error.message).toContain(kind.content === 'cbc' ? 'AES/CBC/PKCS5Padding' : `wrapped by ${kind.wrapping}`);
    expect(mock.calls()).toHaveLength(0);
  },
);

describe.each(CBC.map((kind) => ({ kind, name: nameOf(kind) })))('$name', ({ kind }) => {
  const written = () => write(kind, { plaintext: PLAINTEXT });
  const key = kind.format === 'V1' ? 'x-amz-key' : 'x-amz-key-v2';

  it.each([0, 1, 15, 17, 111])('refuses %i bytes, which are not whole blocks', async (size) => {
    await refusalOf(read({ ...written(), ciphertext: randomBytes(size) }, { legacy: true }));
  });

  it('refuses padding that does not fit', async () => {
    const one = written();
    // Changes the last byte of plaintext, which tells how much is padding: 12, then 13.
    await refusalOf(read({ ...one, ciphertext: flipped(one.ciphertext, one.ciphertext.byteLength - 17) }, { legacy: true }));
  });

  it('refuses a length that is not the one that metadata tells', async () => {
    const one = written();
    await refusalOf(read({ ...one, metadata: { ...one.metadata, 'x-amz-unencrypted-content-length': '99' } }, { legacy: true }));
  });

  it('refuses to take it for CBC with a tag', async () => {
    const one = written();
    await refusalOf(read({ ...one, metadata: { ...one.metadata, 'x-amz-tag-len': '128' } }, { legacy: true }));
  });

  it('refuses a wrapped key that was changed', async () => {
    const one = written();
    await refusalOf(read({ ...one, metadata: { ...one.metadata, [key]: flippedBase64(one.metadata[key] ?? '', 20) } }, { legacy: true }));
  });

  it('reads it without a length in its metadata', async () => {
    const { metadata, ...rest } = written();
    const { 'x-amz-unencrypted-content-length': _, ...others } = metadata;
    expect(await read({ ...rest, metadata: others }, { legacy: true })).toEqual(PLAINTEXT);
  });

  it('refuses it without an iv or a description', async () => {
    for (const name of ['x-amz-iv', 'x-amz-matdesc']) {
      const { metadata, ...rest } = written();
      await refusalOf(
        read({ ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([each]) => each !== name)) }, { legacy: true }),
      );
    }
  });
});

const V1: Kind = { format: 'V1', content: 'cbc', wrapping: 'AES' };

it('refuses GCM in V1, which has none', async () => {
  const one = write(V1, { plaintext: PLAINTEXT });
  const metadata = { ...one.metadata, 'x-amz-cek-alg': 'AES/GCM/NoPadding', 'x-amz-iv': randomBytes(12).toString('base64') };
  const error = await refusalOf(read({ ...one, metadata }, { legacy: true }));
  expect(error.message).toContain('no content encryption of the format V1');
});

it('takes a long key that V1 does not describe for one under RSA', async () => {
  const one = write(V1, { plaintext: PLAINTEXT });
  const error = await refusalOf(
    read({ ...one, metadata: { ...one.metadata, 'x-amz-key': randomBytes(256).toString('base64') } }, { legacy: true }),
  );
  expect(error.message).toContain('RSA');
});

describe('a data key under AES, which nothing authenticates', () => {
  const withKey = (wrapped: Buffer) => {
    const one = write(V1, { plaintext: PLAINTEXT });
    return { ...one, metadata: { ...one.metadata, 'x-amz-key': wrapped.toString('base64') } };
  };
  const underEcb = (dataKey: Buffer) => {
    const cipher = createCipheriv('aes-256-ecb', WRAPPING_KEY, null);
    return Buffer.concat([cipher.update(dataKey), cipher.final()]);
  };

  it.each([33, 40, 47])('is refused when it has %i bytes as one that does not open is', async (length) => {
    const unopened = await refusalOf(read(withKey(flipped(underEcb(randomBytes(32)), 47)), { legacy: true }));
    const { message } = await refusalOf(read(withKey(underEcb(randomBytes(length))), { legacy: true }));
    expect(message).toBe(unopened.message);
  });

  it.each([16, 24, 31])('is refused by name when it has %i bytes, which its wrapping tells', async (length) => {
    const wrappingKey = () => Promise.reject(new Error('asked for'));
    const error = await refusalOf(read(withKey(underEcb(randomBytes(length))), { legacy: true, wrappingKey }));
    expect(error.message).toContain('32 bytes instead of 48');
  });
});

it('tells no size of CBC', async () => {
  const one = write(V1, { plaintext: PLAINTEXT });
  expect(await openMessage(sourceOf(one), readerDeps(one, { legacy: true }))).toMatchObject({ size: null });
});
