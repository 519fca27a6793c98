import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { canariesBelow, canariesIn, formsOfKey, formsOfText, formsOfToken } from './canary-search.ts';

const KEY = Buffer.from('/canary+key/material-0123456789~', 'ascii');
const forms = formsOfKey('key', KEY);

it.each([
  ['raw', KEY],
  ['in a sentence', `the key is ${KEY.toString()}!`],
  ['in base64', JSON.stringify({ key: KEY.toString('base64') })],
  ['in a URL', `?key=${encodeURIComponent(KEY.toString('base64'))}&a=b`],
  ['in hex', KEY.toString('hex')],
  ['as Node shows buffers', inspect(KEY)],
  ['as JSON shows buffers', JSON.stringify(KEY)],
  ['as Node shows arrays', inspect([...KEY])],
  ['as bytes joined', new Uint8Array(KEY).toString()],
])('finds a key %s', (_how, text) => {
  expect(canariesIn(text, forms)).not.toEqual([]);
});

it('finds the digest that S3 is sent', () => {
  expect(canariesIn('x-amz-server-side-encryption-customer-key-MD5: 6Jk', formsOfKey('key', Buffer.alloc(32)))).toEqual([]);
  expect(canariesIn('cLyPS3KoaSFGi/joRB3OUQ==', formsOfKey('key', Buffer.alloc(32)))).toContain('key, MD5, base64');
});

it('finds a text and a token by its signature, and nothing where there is nothing', () => {
  expect(canariesIn('<p>secret text</p>', formsOfText('text', 'secret text'))).toEqual(['text']);
  const token = formsOfToken('token', `${'h'.repeat(40)}.${'c'.repeat(40)}.${'s'.repeat(40)}`);
  expect(canariesIn('s'.repeat(30), token)).toEqual(['token, ending']);
  expect(canariesIn('nothing', [...forms, ...token])).toEqual([]);
});

it('finds a key in a file of any folder below, and names both', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-canary-'));
  try {
    mkdirSync(join(folder, 'logs'));
    writeFileSync(join(folder, 'state.db'), Buffer.alloc(100, 7));
    expect(canariesBelow(folder, forms)).toEqual({ files: 1, found: [] });
    writeFileSync(join(folder, 'logs', 'encrypt.log'), `{"key":"${KEY.toString('base64')}"}\n`);
    expect(canariesBelow(folder, forms).found).toContain('logs/encrypt.log: key, base64');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
