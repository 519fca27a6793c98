import { validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachment } from '../../src/http/disposition.ts';
import { hostileText } from '../hostile/arbitraries.ts';

describe('attachment', () => {
  it.each([
    ['reports/annual.pdf', 'attachment; filename="annual.pdf"'],
    ['a b.txt', 'attachment; filename="a b.txt"'],
    ['folder/', 'attachment; filename="folder"'],
    ['100%.md', `attachment; filename="100_.md"; filename*=UTF-8''100%25.md`],
    ['Übersicht.md', `attachment; filename="_bersicht.md"; filename*=UTF-8''%C3%9Cbersicht.md`],
    ['日本.txt', `attachment; filename="__.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`],
    ["it's (1)*.txt", `attachment; filename="it's (1)_.txt"`],
    ["ü'(1)!", `attachment; filename="_'(1)!"; filename*=UTF-8''%C3%BC%27%281%29%21`],
    ['a"b\\c.txt', 'attachment; filename="a_b_c.txt"'],
    ['a\r\nset-cookie: x=1', 'attachment; filename="a__set-cookie_ x=1"'],
    ['invoice\u202efdp.exe', 'attachment; filename="invoice_fdp.exe"'],
    ['', 'attachment; filename="download"'],
    ['/', 'attachment; filename="download"'],
    ['..', 'attachment; filename="download"'],
    ['../../etc/passwd', 'attachment; filename="passwd"'],
  ])('names %j', (name, header) => {
    expect(attachment(name)).toBe(header);
  });

  it('keeps the end of a name that is longer than file systems take', () => {
    const [, name = ''] = /filename="([^"]+)"/.exec(attachment(`${'a'.repeat(300)}.tar.gz`)) ?? [];
    expect(name).toHaveLength(255);
    expect(name).toMatch(/^a+\.tar\.gz$/);
  });

  it('is one header, whatever it is called', () => {
    fc.assert(
      fc.property(hostileText, (name) => {
        const header = attachment(name);
        expect(() => validateHeaderValue('content-disposition', header)).not.toThrow();
        expect(header).toMatch(/^attachment; filename="[ !#-[\]-~]+"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?$/);
      }),
    );
  });
});
