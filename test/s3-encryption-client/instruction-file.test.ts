import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isInstructionFile, openMessage } from '../../src/s3-encryption-client/index.ts';
import { read, readerDeps, refusalOf, sourceOf } from './reading.ts';
import { KINDS, type Kind, nameOf, type Written, write } from './write.ts';

const PLAINTEXT = randomBytes(100);

const beside = (kind: Kind) => write(kind, { plaintext: PLAINTEXT, place: 'instruction file', application: { author: 'Zoe' } });
const fieldsOf = ({ instructionFile }: Written) => JSON.parse(instructionFile ?? '{}') as Record<string, string>;
const instructing = (written: Written, change: Record<string, unknown>): Written => ({
  ...written,
  instructionFile: JSON.stringify({ ...fieldsOf(written), ...change }),
});

describe.each(KINDS.map((kind) => ({ kind, name: nameOf(kind) })))('$name', ({ kind }) => {
  const key = kind.format === 'V3' ? 'x-amz-3' : 'x-amz-key-v2';

  it('gives the application its metadata', async () => {
    const written = beside(kind);
    expect((await openMessage(sourceOf(written), readerDeps(written)))?.metadata).toEqual({ author: 'Zoe' });
  });

  it.each(['', '{', '[]', 'null', '"text"', 'notes of ours', '{}', '{"author":"Zoe"}'])('refuses the instruction file %j', async (text) => {
    await refusalOf(read({ ...beside(kind), instructionFile: text }));
  });

  it('lets names of others stand in the file, and nothing but texts under its own', async () => {
    expect(await read(instructing(beside(kind), { author: 'Zoe', count: 3 }))).toEqual(PLAINTEXT);
    expect((await refusalOf(read(instructing(beside(kind), { [key]: 3 })))).message).toContain('not a text');
    await refusalOf(read(instructing(beside(kind), { [key]: undefined })));
  });

  it('refuses wrapped keys of two formats', async () => {
    const error = await refusalOf(read(instructing(beside(kind), { 'x-amz-key': 'AAAA' })));
    expect(error.message).toContain('of several formats');
  });

  it('refuses fields of the file in the metadata', async () => {
    const written = beside(kind);
    for (const name of ['x-amz-iv', 'x-amz-w', 'x-amz-matdesc']) {
      await refusalOf(read({ ...written, metadata: { ...written.metadata, [name]: 'AAAA' } }));
    }
  });

  it('reads it beside a plaintext length in the metadata', async () => {
    const written = beside(kind);
    expect(await read({ ...written, metadata: { ...written.metadata, 'x-amz-unencrypted-content-length': '100' } })).toEqual(PLAINTEXT);
  });
});

const V3: Kind = { format: 'V3', content: 'committing', wrapping: 'AES/GCM' };
const V2: Kind = { format: 'V2', content: 'gcm', wrapping: 'AES/GCM' };

it.each(['x-amz-c', 'x-amz-d', 'x-amz-i'])('refuses %s in the file, and V3 without it in the metadata', async (name) => {
  const written = beside(V3);
  const { [name]: value, ...metadata } = written.metadata;
  await refusalOf(read(instructing(written, { [name]: value })));
  await refusalOf(read({ ...written, metadata }));
  await refusalOf(read(instructing({ ...written, metadata }, { [name]: value })));
});

it('waits for the instruction file of an object that still tells of one', async () => {
  const left = await refusalOf(read({ ...beside(V3), instructionFile: null }), 'envelope-missing');
  expect(left.message).toContain('no instruction file');
  const V2Length = { ...beside(V2), instructionFile: null };
  await refusalOf(read({ ...V2Length, metadata: { 'x-amz-unencrypted-content-length': '100' } }), 'envelope-missing');
  // Nothing is left that would tell.
  expect(await openMessage(sourceOf(V2Length), readerDeps(V2Length))).toBeNull();
});

it('refuses an iv that stands in the metadata and not in the file, although it is the right one', async () => {
  const written = beside(V2);
  const { 'x-amz-iv': iv = '', ...fields } = fieldsOf(written);
  const moved = { ...written, metadata: { 'x-amz-iv': iv }, instructionFile: JSON.stringify(fields) };
  expect((await refusalOf(read(moved))).message).toContain('belongs into the instruction file');
});

it('takes numbers where clients write them', async () => {
  expect(await read(instructing(beside(V2), { 'x-amz-tag-len': 128, 'x-amz-unencrypted-content-length': 100 }))).toEqual(PLAINTEXT);
});

it('takes what a file holds as it is: only metadata went through S3', async () => {
  const kind: Kind = { format: 'V2', content: 'gcm', wrapping: 'kms+context' };
  const context = { name: 'Ã©', word: '=?UTF-8?B?w6k=?=' };
  expect(await read(write(kind, { plaintext: PLAINTEXT, place: 'instruction file', context }))).toEqual(PLAINTEXT);
});

it('refuses to open an instruction file itself', async () => {
  const source = { bucket: 'ingest', key: 'a.instruction', size: 9, metadata: { 'x-amz-crypto-instr-file': '' } };
  await expect(openMessage(source, readerDeps({ instructionFile: null }))).rejects.toMatchObject({
    code: 'source-not-decryptable',
    message: expect.stringContaining('an instruction file itself'),
  });
});

it.each([V2, V3])('refuses $format that is marked as an instruction file and has its wrapped key in its metadata', async (kind) => {
  const written = write(kind, { plaintext: PLAINTEXT });
  const marked = { ...written, metadata: { ...written.metadata, 'x-amz-crypto-instr-file': '' } };
  expect((await refusalOf(read(marked))).message).toContain('marks it as an instruction file and holds a wrapped key');
});

describe('an instruction file', () => {
  const unread = () => Promise.reject(new Error('read'));
  const text = beside(V2).instructionFile ?? '';

  it('is known by its mark, without a look', async () => {
    expect(await isInstructionFile({ key: 'any', metadata: { 'x-amz-crypto-instr-file': '' } }, unread)).toBe(true);
  });

  it('is known by its name and its text', async () => {
    expect(await isInstructionFile({ key: 'a.instruction', metadata: {} }, async () => text)).toBe(true);
    expect(await isInstructionFile({ key: 'a.instruction', metadata: {} }, async () => beside(V3).instructionFile ?? '')).toBe(true);
  });

  it('is not known by its name alone', async () => {
    for (const other of ['', 'turn left', '{}', '{"x-amz-iv":"AAAA"}', '[]']) {
      expect(await isInstructionFile({ key: 'a.instruction', metadata: {} }, async () => other)).toBe(false);
    }
  });

  it('is none under another name, or when it is encrypted itself', async () => {
    expect(await isInstructionFile({ key: 'a.json', metadata: {} }, unread)).toBe(false);
    const { metadata } = write(V2, { plaintext: PLAINTEXT });
    expect(await isInstructionFile({ key: 'a.instruction', metadata }, unread)).toBe(false);
    const marked = { ...metadata, 'x-amz-crypto-instr-file': '' };
    expect(await isInstructionFile({ key: 'a.instruction', metadata: marked }, unread)).toBe(false);
  });
});
