import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiUrl, readToken } from '../../../cli/api/arguments.ts';
import type { Failure } from '../../../cli/failure.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-token-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a token may be sent to', () => {
  test.each(['https://api.example.com/prod', 'http://localhost:3000', 'http://127.0.0.1:3000/', 'http://[::1]:3000'])('%s', (text) => {
    expect(apiUrl('--api', text).href).toMatch(/^http/);
  });
});

describe('no token is sent to', () => {
  test.each([
    ['http://api.example.com', 'in the clear'],
    ['http://127.0.0.1.example.com', 'in the clear'],
    ['http://10.0.0.1', 'in the clear'],
    ['file:///etc/passwd', 'an https:// URL'],
    ['api.example.com', 'an https:// URL'],
  ])('%s: %s', (text, said) => {
    expect(() => apiUrl('--api', text)).toThrow(`--api ${text}: `);
    expect(() => apiUrl('--api', text)).toThrow(said);
  });

  test('a URL with a password, which no message repeats', () => {
    expect(() => apiUrl('--api', 'https://me:canary@api.example.com')).toThrow(/^--api: a URL without a user and a password$/);
  });
});

describe('the token', () => {
  const none = { apiUrl: null, tokenFile: null };
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return { apiUrl: null, tokenFile: join(folder, name) };
  };

  test('is that of the environment, and of the file if one is named', () => {
    expect(readToken(none, { SEALDROP_TOKEN: 'a.b.c' })).toBe('a.b.c');
    expect(readToken(file('token', ' d.e-f_g.h==\n'), { SEALDROP_TOKEN: 'a.b.c' })).toBe('d.e-f_g.h==');
  });

  test.each([
    ['none', none, '', 'There is no token.'],
    ['an empty file', file.bind(null, 'empty', '\n'), '', 'is empty'],
    ['no file', { apiUrl: null, tokenFile: '/nowhere/token' }, '', 'cannot be read'],
    ['two lines', none, 'canary\ncanary', 'holds is no bearer token'],
    ['a header', none, 'Bearer canary', 'holds is no bearer token'],
  ])('is asked for by name where there is %s', (_, asked, environment, said) => {
    const read = () => readToken(typeof asked === 'function' ? asked() : asked, { SEALDROP_TOKEN: environment });
    expect(read).toThrow(said);
    expect(read).not.toThrow('canary');
    expect(read).toThrow(expect.objectContaining({ exitCode: 2, nextStep: expect.stringContaining('--token-file') }) as unknown as Failure);
  });
});
