import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openMessage } from '../../src/s3-encryption-client/index.ts';
import { fakeKms } from './fake-kms.ts';
import { collect, flipped, flippedBase64, read, readerDeps, refusalOf, sourceOf, whole } from './reading.ts';
import { KINDS, type Kind, LEGACY_KINDS, nameOf, WRAPPING_KEY, type Written, write } from './write.ts';

const PLAINTEXT = randomBytes(1000);

const ofContent = (change: (ciphertext: Buffer) => Buffer) => (written: Written) => ({
  ...written,
  ciphertext: change(written.ciphertext),
});

const ofField = (name: string, change: (value: string) => string) => (written: Written) => {
  const value = written.metadata[name];
  if (value === undefined) throw new Error(`it has no ${name}`);
  return { ...written, metadata: { ...written.metadata, [name]: change(value) } };
};

const without = (name: string) => (written: Written) => {
  const { [name]: left, ...metadata } = written.metadata;
  if (left === undefined) throw new Error(`it has no ${name}`);
  return { ...written, metadata };
};

const withField = (name: string, value: string) => (written: Written) => ({ ...written, metadata: { ...written.metadata, [name]: value } });

type Tampering = Record<string, (written: Written) => Written>;

const OF_EVERY_AUTHENTICATED: Tampering = {
  'content with one bit changed': ofContent((bytes) => flipped(bytes, 500)),
  'a first byte with one bit changed': ofContent((bytes) => flipped(bytes, 0)),
  'a tag with one bit changed': ofContent((bytes) => flipped(bytes, bytes.byteLength - 1)),
  'content cut by one byte': ofContent((bytes) => bytes.subarray(0, -1)),
  'content without its tag': ofContent((bytes) => bytes.subarray(0, -16)),
  'content shorter than a tag': ofContent((bytes) => bytes.subarray(0, 15)),
  'content of no bytes': ofContent(() => Buffer.alloc(0)),
  'content with a byte more': ofContent((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  'content with its tag twice': ofContent((bytes) => Buffer.concat([bytes, bytes.subarray(-16)])),
};

const OF_V3: Tampering = {
  ...OF_EVERY_AUTHENTICATED,
  'a wrapped key with one bit changed': ofField('x-amz-3', flippedBase64),
  'a wrapped key whose last bit is changed': ofField('x-amz-3', (value) =>
    flippedBase64(value, Buffer.from(value, 'base64').byteLength - 1),
  ),
  'a wrapped key cut by a byte': ofField('x-amz-3', (value) => Buffer.from(value, 'base64').subarray(0, -1).toString('base64')),
  'a message id with one bit changed': ofField('x-amz-i', flippedBase64),
  'a message id of 27 bytes': ofField('x-amz-i', (value) => Buffer.from(value, 'base64').subarray(1).toString('base64')),
  'a commitment with one bit changed': ofField('x-amz-d', flippedBase64),
  'a commitment of 32 bytes': ofField('x-amz-d', (value) =>
    Buffer.concat([Buffer.from(value, 'base64'), Buffer.alloc(4)]).toString('base64'),
  ),
  'a commitment that is not base64': ofField('x-amz-d', (value) => `${value.slice(0, -1)}*`),
  'an empty wrapped key': ofField('x-amz-3', () => ''),
  'a suite that is unknown': ofField('x-amz-c', () => '116'),
  'a suite of V2': ofField('x-amz-c', () => 'AES/GCM/NoPadding'),
  'a wrapping that is unknown': ofField('x-amz-w', () => '42'),
  'a wrapping of V2': ofField('x-amz-w', () => 'AES/GCM'),
  'a wrapping that every object has a member of': ofField('x-amz-w', () => 'constructor'),
  'a wrapping that every object descends from': ofField('x-amz-w', () => '__proto__'),
  'no x-amz-c': without('x-amz-c'),
  'no x-amz-3': without('x-amz-3'),
  'no x-amz-d': without('x-amz-d'),
  'no x-amz-i': without('x-amz-i'),
  'no x-amz-w': without('x-amz-w'),
  'an iv of V2': withField('x-amz-iv', 'AAAA'),
  'a wrapped key of V2 too': withField('x-amz-key-v2', 'AAAA'),
  'a wrapped key of V1 too': withField('x-amz-key', 'AAAA'),
};

const OF_V2: Tampering = {
  ...OF_EVERY_AUTHENTICATED,
  'a wrapped key with one bit changed': ofField('x-amz-key-v2', (value) => flippedBase64(value, 30)),
  'a wrapped key whose last bit is changed': ofField('x-amz-key-v2', (value) =>
    flippedBase64(value, Buffer.from(value, 'base64').byteLength - 1),
  ),
  'an iv with one bit changed': ofField('x-amz-iv', flippedBase64),
  'an iv of 16 bytes': ofField('x-amz-iv', () => randomBytes(16).toString('base64')),
  'an iv in base64url': ofField('x-amz-iv', () => '_-_-_-_-_-_-_-_-'),
  'a tag length of 96': ofField('x-amz-tag-len', () => '96'),
  'no tag length': without('x-amz-tag-len'),
  'a suite that is unknown': ofField('x-amz-cek-alg', () => 'AES/CTR/NoPadding'),
  'a suite of V3': ofField('x-amz-cek-alg', () => '115'),
  'a wrapping that is unknown': ofField('x-amz-wrap-alg', () => 'AES/SIV'),
  'a description that is no JSON': ofField('x-amz-matdesc', () => '{'),
  'a description that is a list': ofField('x-amz-matdesc', () => '[]'),
  'a description that holds a number': ofField('x-amz-matdesc', () => '{"a":1}'),
  'no x-amz-key-v2': without('x-amz-key-v2'),
  'no x-amz-iv': without('x-amz-iv'),
  'no x-amz-wrap-alg': without('x-amz-wrap-alg'),
  'no x-amz-cek-alg': without('x-amz-cek-alg'),
  'no x-amz-matdesc': without('x-amz-matdesc'),
  'a commitment of V3': withField('x-amz-d', 'AAAA'),
  'a wrapped key of V1 too': withField('x-amz-key', 'AAAA'),
};

const DOWNGRADED: Tampering = {
  'said to be under CBC': (written) =>
    without('x-amz-tag-len')(
      ofField(
        'x-amz-cek-alg',
        () => 'AES/CBC/PKCS5Padding',
      )({
        ...written,
        metadata: { ...written.metadata, 'x-amz-iv': randomBytes(16).toString('base64') },
      }),
    ),
};

describe.each(KINDS.map((kind) => ({ kind, name: nameOf(kind) })))('$name', ({ kind }) => {
  const table = kind.format === 'V3' ? OF_V3 : { ...OF_V2, ...DOWNGRADED };
  it.each(Object.keys(table))('refuses %s', async (name) => {
    const written = write(kind, { plaintext: PLAINTEXT, context: { purpose: 'letters' } });
    expect(await read(written)).toEqual(PLAINTEXT);
    const change = table[name] as (written: Written) => Written;
    // Legacy, so that it is refused for what it is.
    await refusalOf(read(change(written), { legacy: true }));
  });

  it('refuses content that comes cut or extended against the size that S3 tells', async () => {
    const written = write(kind, { plaintext: PLAINTEXT });
    const message = await openMessage(sourceOf(written), readerDeps(written));
    if (message === null) throw new Error('not opened');
    const cut = await refusalOf(collect(message.decrypt(whole(written.ciphertext.subarray(0, -1)))));
    expect(cut.message).toContain('1015 of its 1016 bytes');
    const extended = await refusalOf(collect(message.decrypt(whole(Buffer.concat([written.ciphertext, Buffer.alloc(1)])))));
    expect(extended.message).toContain('more than its 1016 bytes');
  });

  it('refuses the content of another object', async () => {
    const written = write(kind, { plaintext: PLAINTEXT });
    await refusalOf(read({ ...written, ciphertext: write(kind, { plaintext: PLAINTEXT }).ciphertext }));
  });
});

/** As a writer would relabel it who wants an oracle for the padding of CBC: the wrapped key and its encryption context stay. */
const asKms = (cekAlg: string, ivBytes: number) => (written: Written) => {
  const { metadata } = written;
  const relabelled: Record<string, string> = {
    'x-amz-key-v2': metadata['x-amz-key-v2'] ?? metadata['x-amz-3'] ?? '',
    'x-amz-matdesc': metadata['x-amz-matdesc'] ?? metadata['x-amz-t'] ?? '',
    'x-amz-wrap-alg': 'kms',
    'x-amz-cek-alg': cekAlg,
    'x-amz-iv': randomBytes(ivBytes).toString('base64'),
    ...(cekAlg === 'AES/GCM/NoPadding' ? { 'x-amz-tag-len': '128' } : {}),
  };
  return { ...written, metadata: relabelled, ciphertext: randomBytes(64) };
};

const asV1 = (written: Written) => {
  const { 'x-amz-key-v2': wrapped = '', ...metadata } = asKms('AES/CBC/PKCS5Padding', 16)(written).metadata;
  return { ...written, metadata: { ...metadata, 'x-amz-key': wrapped }, ciphertext: randomBytes(64) };
};

describe.each(KINDS.filter(({ wrapping }) => wrapping === 'kms+context').map((kind) => ({ kind, name: nameOf(kind) })))(
  '$name',
  ({ kind }) => {
    it.each([
      { what: 'V2 under CBC', relabelled: asKms('AES/CBC/PKCS5Padding', 16) },
      { what: 'V2 under GCM', relabelled: asKms('AES/GCM/NoPadding', 12) },
      { what: 'V1', relabelled: asV1 },
    ])('is not opened as $what that kms wrapped, and KMS is not asked', async ({ relabelled }) => {
      const { client, mock } = fakeKms();
      const written = relabelled(write(kind, { plaintext: PLAINTEXT, context: { purpose: 'letters' } }));
      const error = await refusalOf(read(written, { kms: client, legacy: true }));
      expect(error.message).toContain('wrapped by kms+context');
      expect(mock.calls()).toHaveLength(0);
    });
  },
);

const under = (wrapping: Kind['wrapping']) => [...KINDS, ...LEGACY_KINDS].filter((kind) => kind.wrapping === wrapping);

describe('a wrapping key', () => {
  it.each([...under('AES/GCM'), ...under('AESWrap')].map((kind) => ({ kind, name: nameOf(kind) })))(
    'is refused when it is another: $name',
    async ({ kind }) => {
      const written = write(kind, { plaintext: PLAINTEXT });
      await refusalOf(read(written, { wrappingKey: async () => flipped(WRAPPING_KEY, 0), legacy: true }));
    },
  );

  it.each([...under('AES/GCM'), ...under('AESWrap'), ...under('AES')].map((kind) => ({ kind, name: nameOf(kind) })))(
    'is told to be missing: $name',
    async ({ kind }) => {
      await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { wrappingKey: null, legacy: true }), 'wrapping-key-missing');
    },
  );

  it('is refused when it has 16 bytes', async () => {
    const [kind] = under('AES/GCM') as [Kind];
    await refusalOf(read(write(kind, { plaintext: PLAINTEXT }), { wrappingKey: async () => Buffer.alloc(16) }), 'wrapping-key-invalid');
  });

  it('stays as it was', async () => {
    const key = Buffer.from(WRAPPING_KEY);
    for (const kind of [...under('AES/GCM'), ...under('AESWrap'), ...under('AES')]) {
      await read(write(kind, { plaintext: PLAINTEXT }), { wrappingKey: async () => key, legacy: true });
    }
    expect(key).toEqual(WRAPPING_KEY);
  });
});

it('refuses a key that V3 did not commit to, although its wrapping is in order', async () => {
  const kind: Kind = { format: 'V3', content: 'committing', wrapping: 'AES/GCM' };
  const written = write(kind, { plaintext: PLAINTEXT });
  const other = write(kind, { plaintext: PLAINTEXT });
  const swapped = withField('x-amz-3', other.metadata['x-amz-3'] ?? '')(written);
  const error = await refusalOf(read(swapped));
  expect(error.message).toContain('commitment');
});

it.each([
  { format: 'V3', name: 'x-amz-w', values: ['22'] },
  { format: 'V2', name: 'x-amz-wrap-alg', values: ['RSA-OAEP-SHA1', 'RSA/ECB/OAEPWithSHA-256AndMGF1Padding', 'RSA'] },
])('refuses RSA by name in $format', async ({ format, name, values }) => {
  const kind = KINDS.find((each) => each.format === format && each.wrapping === 'AES/GCM') as Kind;
  for (const value of values) {
    const error = await refusalOf(read(ofField(name, () => value)(write(kind, { plaintext: PLAINTEXT })), { legacy: true }));
    expect(error.message).toContain('RSA');
  }
});

it('keeps keys and content out of its messages', async () => {
  for (const kind of KINDS) {
    const written = write(kind, { plaintext: Buffer.from('the secret content of this object') });
    const wrapped = written.metadata['x-amz-3'] ?? written.metadata['x-amz-key-v2'] ?? '';
    for (const change of [
      ofContent((bytes) => flipped(bytes, 3)),
      ofField(kind.format === 'V3' ? 'x-amz-3' : 'x-amz-key-v2', flippedBase64),
    ]) {
      const { message } = await refusalOf(read(change(written)));
      for (const secret of [wrapped, 'secret content', WRAPPING_KEY.toString(), WRAPPING_KEY.toString('base64')])
        expect(message).not.toContain(secret);
    }
  }
});

it.each([
  { name: 'x-amz-i', length: 27, format: 'V3' },
  { name: 'x-amz-d', length: 27, format: 'V3' },
  { name: 'x-amz-iv', length: 16, format: 'V2' },
])('tells the length of $name that is not as specified', async ({ name, length, format }) => {
  const kind = KINDS.find((each) => each.format === format) as Kind;
  const error = await refusalOf(read(ofField(name, () => randomBytes(length).toString('base64'))(write(kind, { plaintext: PLAINTEXT }))));
  expect(error.message).toContain(`${name} holds ${length} bytes instead of`);
});
