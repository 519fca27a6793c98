import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type CanonicalInput, canonicalRequest } from '../../../sandbox/wire/canonical-request.ts';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const base: CanonicalInput = {
  method: 'GET',
  rawPath: '/',
  rawQuery: '',
  rawHeaders: ['Host', 'examplebucket.s3.amazonaws.com', 'X-Amz-Content-Sha256', EMPTY, 'X-Amz-Date', '20130524T000000Z'],
  signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
  payloadHash: EMPTY,
  s3: true,
};

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, whose examples these are */
test.each([
  [
    'GetObject with a range',
    {
      ...base,
      rawPath: '/test.txt',
      rawHeaders: [...base.rawHeaders, 'Range', 'bytes=0-9'],
      signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'],
    },
    '7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972',
  ],
  ['GetBucketLifecycle', { ...base, rawQuery: 'lifecycle' }, '9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca'],
  ['ListObjects', { ...base, rawQuery: 'prefix=J&max-keys=2' }, 'df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7'],
] satisfies [string, CanonicalInput, string][])('AWS’s example %s has AWS’s hash', (_title, input, expected) => {
  expect(hash('sha256', canonicalRequest(input))).toBe(expected);
});

const pathOf = (rawPath: string, s3: boolean) => canonicalRequest({ ...base, rawPath, s3 }).split('\n')[1];
const queryOf = (rawQuery: string) => canonicalRequest({ ...base, rawQuery }).split('\n')[2];
const headersOf = (rawHeaders: string[], signedHeaders: string[]) =>
  canonicalRequest({ ...base, rawHeaders, signedHeaders })
    .split('\n')
    .slice(3, 3 + signedHeaders.length);

test.each([
  ['/bucket/a//b/../c', '/bucket/a//b/../c'],
  ['/bucket/a%20b', '/bucket/a%20b'],
  ['/bucket/a%2Fb', '/bucket/a%2Fb'],
  ['/bucket/a+b$c', '/bucket/a%2Bb%24c'],
  ['/bucket/%7Ex%c3%a9', '/bucket/~x%C3%A9'],
  ['/bucket/100%', '/bucket/100%25'],
])('S3’s path %s is signed as %s, never normalised', (rawPath, canonical) => {
  expect(pathOf(rawPath, true)).toBe(canonical);
});

test.each([
  ['/', '/'],
  ['/a/./b/../c//d/', '/a/c/d/'],
  ['/functions/arn%3Aaws%3Alambda', '/functions/arn%253Aaws%253Alambda'],
  // https://github.com/aws/aws-sdk-js/issues/853 has AWS's own answer to `/%3Fa=b%20c`
  ['/_search/%3Fa=b%20c', '/_search/%253Fa%3Db%2520c'],
  ['/@connections/a+b', '/%40connections/a%2Bb'],
  ['/%c3%a9', '/%25c3%25a9'],
])('another service’s path %s is normalised and encoded once more: %s', (rawPath, canonical) => {
  expect(pathOf(rawPath, false)).toBe(canonical);
});

test('query parameters are sorted by name, then value, and encoded once', () => {
  expect(queryOf('b=2&a=z&a=y&c&d=%2b+%20e=')).toBe('a=y&a=z&b=2&c=&d=%2B%20%20e%3D');
});

test('header values are trimmed, inner spaces folded, repeated headers joined by a comma', () => {
  const raw = ['X-Two', 'a', 'Host', '  h  ', 'X-Two', 'b   c', 'Unsigned', 'u'];
  expect(headersOf(raw, ['host', 'x-two'])).toEqual(['host:h', 'x-two:a,b c']);
});
