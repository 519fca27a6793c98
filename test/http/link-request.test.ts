import { describe, expect, it } from 'vitest';
import { linkRequest } from '../../src/http/link-request.ts';

const read = (body: unknown) => linkRequest(JSON.stringify(body));

describe('linkRequest', () => {
  it('gives an hour and one use unless more is asked for', () => {
    expect(read({ key: 'a' })).toEqual({ key: 'a', versionId: undefined, expiresInSeconds: 3600, uses: 1 });
    expect(read({ key: 'a', versionId: 'v-1', expiresInSeconds: 604_800, uses: 1000 })).toEqual({
      key: 'a',
      versionId: 'v-1',
      expiresInSeconds: 604_800,
      uses: 1000,
    });
  });

  it.each([
    [{}, 'key must be a key'],
    [{ key: '' }, 'key must be a key'],
    [{ key: 1 }, 'key must be a key'],
    [{ key: '../x' }, 'climbs out of the bucket'],
    [{ key: 'k'.repeat(1025) }, 'has 1025 bytes'],
    [{ key: 'a', versionId: '../x' }, "versionId must be a version id of S3's"],
    [{ key: 'a', expiresInSeconds: 59 }, 'expiresInSeconds must be a whole number from 60 to 604800'],
    [{ key: 'a', expiresInSeconds: 604_801 }, 'expiresInSeconds must be'],
    [{ key: 'a', expiresInSeconds: 60.5 }, 'expiresInSeconds must be'],
    [{ key: 'a', expiresInSeconds: '60' }, 'expiresInSeconds must be'],
    [{ key: 'a', uses: 0 }, 'uses must be a whole number from 1 to 1000'],
    [{ key: 'a', uses: 1001 }, 'uses must be'],
    [{ key: 'a', use: 1 }, 'unknown: use; known here: key, versionId, expiresInSeconds, uses'],
    [{ uses: 0 }, 'key must be a key; uses must be'],
    [[], 'the body must be a JSON object with a key'],
    ['a', 'the body must be'],
    [null, 'the body must be'],
  ])('refuses %j: %s', (body, message) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ code: 'invalid-request', message: expect.stringContaining(message) }));
  });

  it.each([undefined, null, '', '{', 'key=a'])('refuses %j, which is no JSON', (body) => {
    expect(() => linkRequest(body)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });
});
