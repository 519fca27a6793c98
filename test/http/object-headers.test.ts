import { validateHeaderValue } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type ObjectHead, objectHeaders } from '../../src/http/object-headers.ts';

const OBJECT: ObjectHead = { contentLength: 0, size: 0, metadata: {}, checksum: null, mode: 'sse-c' };

describe('objectHeaders', () => {
  it('says the least of an object of which nothing is known', () => {
    expect(objectHeaders(OBJECT)).toEqual({
      'content-type': 'binary/octet-stream',
      'content-length': '0',
      'x-sealdrop-length': '0',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'x-sealdrop-encryption': 'sse-c',
    });
  });

  it('passes on what the object was stored with', () => {
    const stored = {
      contentType: 'text/html; charset=utf-8',
      contentEncoding: 'gzip',
      contentLanguage: 'de',
      contentDisposition: 'attachment; filename="a.txt"',
      cacheControl: 'private, max-age=60',
      expires: 'Fri, 20 Nov 2026 10:00:00 GMT',
    };
    expect(objectHeaders({ ...OBJECT, ...stored, metadata: { 'a-b': 'c' } })).toMatchObject({
      'content-type': stored.contentType,
      'content-encoding': 'gzip',
      'content-language': 'de',
      'content-disposition': stored.contentDisposition,
      'cache-control': 'private, max-age=60',
      expires: stored.expires,
      'x-amz-meta-a-b': 'c',
    });
  });

  it.each(['a\r\nset-cookie: x=1', 'a\nb', 'a\u0000b', 'grüße', '日本', 'a\u007fb', '\u2028'])('lets no %j out as it is', (value) => {
    const headers = objectHeaders({
      ...OBJECT,
      metadata: { note: value },
      contentDisposition: value,
      contentLanguage: value,
      contentType: value,
    });
    for (const name of ['x-amz-meta-note', 'content-disposition', 'content-language', 'content-type']) {
      const sent = headers[name] ?? '';
      expect(() => validateHeaderValue(name, sent)).not.toThrow();
      expect(sent).toMatch(/^=\?UTF-8\?B\?[A-Za-z0-9+/=]+\?=$/);
      expect(Buffer.from(sent.slice(10, -2), 'base64').toString()).toBe(value);
    }
  });

  it.each([
    [undefined, 'private, no-cache'],
    ['', 'private'],
    ['max-age=60', 'private, max-age=60'],
    ['public, max-age=60', 'private, max-age=60'],
    ['Public,S-MaxAge=9 , immutable', 'private, immutable'],
    ['must-revalidate, proxy-revalidate', 'private'],
    ['no-store', 'private, no-store'],
  ])('keeps caches in between out of cache-control %j', (cacheControl, sent) => {
    expect(objectHeaders({ ...OBJECT, cacheControl })['cache-control']).toBe(sent);
  });

  it.each(['a\r\nb: c', 'grüße', 'public, grüße'])('is private without what no header carries of cache-control %j', (cacheControl) => {
    expect(objectHeaders({ ...OBJECT, cacheControl })['cache-control']).toBe('private');
  });

  it("tells the checksum of the whole by S3's names", () => {
    const headers = objectHeaders({ ...OBJECT, checksum: { algorithm: 'CRC64NVME', value: 'AAAAAAAAAAA=', type: 'FULL_OBJECT' } });
    expect(headers).toMatchObject({ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=', 'x-amz-checksum-type': 'FULL_OBJECT' });
  });

  it('does not encode what a header can carry', () => {
    expect(objectHeaders({ ...OBJECT, metadata: { note: 'a\tb ~!"' } })['x-amz-meta-note']).toBe('a\tb ~!"');
  });
});
