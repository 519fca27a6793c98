import { describe, expect, it } from 'vitest';
import { OBJECT_QUERY, objectRequest } from '../../src/http/object-request.ts';
import { parseApiRequest } from '../../src/http/request.ts';
import { apiEvent } from '../fixtures/api.ts';

const read = (call: Parameters<typeof apiEvent>[0]) =>
  objectRequest(parseApiRequest(apiEvent({ path: { key: 'a%2Fb.txt' }, ...call }), OBJECT_QUERY));

describe('objectRequest', () => {
  it('asks for the whole current object unless it says more', () => {
    expect(read({})).toEqual({ key: 'a/b.txt', purpose: 'read', range: null, conditions: {}, redirects: true });
  });

  it('reads headers whatever their case', () => {
    const headers = {
      RANGE: ['bytes=1-2'],
      'If-Match': ['"a"', '"b"'],
      'if-none-match': ['"c"'],
      'IF-Modified-Since': ['x'],
      'if-unmodified-since': ['y'],
      'If-Range': ['"d"'],
    };
    expect(read({ headers })).toMatchObject({
      range: { first: 1, last: 2 },
      conditions: { ifMatch: '"a", "b"', ifNoneMatch: '"c"', ifModifiedSince: 'x', ifUnmodifiedSince: 'y', ifRange: '"d"' },
    });
  });

  it('takes two Range headers for more than one range', () => {
    expect(read({ headers: { range: ['bytes=1-2', 'bytes=4-5'] } }).range).toBeNull();
    expect(read({ headers: { range: ['bytes=1-2'], Range: ['bytes=4-5'] } }).range).toBeNull();
  });

  it('knows no ranges of a HEAD', () => {
    expect(read({ method: 'HEAD', headers: { range: ['bytes=1-2'] } })).toMatchObject({ purpose: 'inspect', range: null });
  });

  it.each([
    ['', 'attachment; filename="b.txt"'],
    ['c.pdf', 'attachment; filename="c.pdf"'],
  ])('?download=%s saves as a file', (download, disposition) => {
    expect(read({ query: { download: [download] } }).disposition).toBe(disposition);
  });

  it('hands a version id on, and takes redirects or none', () => {
    expect(read({ query: { versionId: ['3HL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY.MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo'] } }).versionId).toMatch(/^3HL4/);
    expect(read({ query: { versionId: ['null'] } }).versionId).toBe('null');
    expect(read({ query: { redirect: ['never'] } }).redirects).toBe(false);
  });

  it.each([
    ['versionId', ''],
    ['versionId', 'a b'],
    ['versionId', '../x'],
    ['versionId', 'x'.repeat(1025)],
    ['redirect', ''],
    ['redirect', 'always'],
  ])('refuses %s=%j', (name, value) => {
    expect(() => read({ query: { [name]: [value] } })).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });
});
