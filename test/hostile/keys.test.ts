/** Any key that S3 can hold keeps its spelling on every way through, and any other is refused at the door. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/encrypt.ts';
import { decodeFormKey, parseIngestEvent, parseTargetEvents } from '../../src/events/index.ts';
import { objectHeaders } from '../../src/http/object-headers.ts';
import { toProblem } from '../../src/http/problem.ts';
import { parseApiRequest, possibleKey, requestedKey } from '../../src/http/request.ts';
import { apiEvent } from '../fixtures/api.ts';
import { auditEvents, copyInputs, encryptWorld, objectRecords } from '../fixtures/encrypt-world.ts';
import { withMember } from '../fixtures/events.ts';
import { notification, queued } from '../fixtures/messages.ts';
import { hostileText, possibleKeys } from './arbitraries.ts';

/** As java.net.URLEncoder writes it, which S3 is said to use: more signs than encodeURIComponent escapes. */
const formEncoded = (key: string) =>
  [...Buffer.from(key)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      if (sign === ' ') return '+';
      return /[A-Za-z0-9._*-]/.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');

const keyOf = (content: unknown) => (content as { items: { key: string }[] }).items.map(({ key }) => key);
const sent = (key: string) => withMember(notification({}), ['Records', 0, 's3', 'object', 'key'], key);

/** What S3 makes of the header: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-copy-source) */
function readCopySource(header: string) {
  const [path = '', ...query] = header.split('?');
  const slash = path.indexOf('/');
  const version = query.join('?').replace(/^versionId=/, '');
  return { bucket: path.slice(0, slash), key: decodeURIComponent(path.slice(slash + 1)), versionId: decodeURIComponent(version) };
}

describe('a key that S3 can hold', () => {
  it('comes out of a notification as it went in, whichever signs the sender escapes', () => {
    fc.assert(
      fc.property(possibleKeys, (key) => {
        for (const spelling of [formEncoded(key), encodeURIComponent(key), encodeURIComponent(key).replaceAll('%20', '+')]) {
          expect(decodeFormKey(spelling)).toBe(key);
          for (const parseEvents of [parseIngestEvent, parseTargetEvents]) {
            const [message] = parseEvents(queued([sent(spelling)]));
            expect(keyOf(message?.content)).toEqual([key]);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is copied, recorded and told by the same name', async () => {
    const versions = fc
      .oneof(fc.constantFrom('null', 'a&b=c', '100%', '?versionId=x', '#', '+', '%2B', '~.-_'), fc.string({ minLength: 1 }))
      .filter((text) => /^[\x21-\x7e]+$/.test(text));
    await fc.assert(
      fc.asyncProperty(possibleKeys, versions, async (key, versionId) => {
        const world = encryptWorld();
        await createHandler(() => world.deps)(queued([notification({ key, versionId })]));
        const [copy] = copyInputs(world);
        expect(copy?.Key).toBe(key);
        expect(copy?.CopySource).toMatch(/^[\x21-\x7e]+$/);
        expect(readCopySource(copy?.CopySource ?? '')).toMatchObject({ key, versionId });
        expect(objectRecords(world)).toMatchObject([{ key }]);
        expect(auditEvents(world)).toMatchObject([{ key }]);
      }),
      { numRuns: 300 },
    );
  });

  it('is the one that the API asks S3 for, by path and by query, decoded once', () => {
    fc.assert(
      fc.property(possibleKeys, (key) => {
        const spellings = [encodeURIComponent(key), key.split('/').map(encodeURIComponent).join('/')];
        for (const path of spellings) expect(requestedKey(parseApiRequest(apiEvent({ path: { key: path } }), ['key']))).toBe(key);
        expect(requestedKey(parseApiRequest(apiEvent({ query: { key: [key] } }), ['key']))).toBe(key);
        expect(possibleKey('prefix', key)).toBe(key);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('any other text', () => {
  it('is refused as malformed or invalid, or is a key that S3 can hold', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const [message] = parseIngestEvent(sent(text));
        if (message === undefined) throw new Error('there is no message');
        if ('error' in message.content) expect(message.content.error.code).toBe('malformed-event');
        else expect(possibleKey('key', keyOf(message.content)[0] ?? '')).toBe(decodeFormKey(text));
        for (const call of [{ path: { key: text } }, { query: { key: [text] } }]) {
          try {
            const key = requestedKey(parseApiRequest(apiEvent(call), ['key']));
            expect([text, decodeURIComponent(encodeURIComponent(key))]).toContain(key);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid-request', status: 400 });
            const { body, headers } = toProblem(error, 'request-1');
            expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid-request' });
            for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([1_025, 100_000, 1_000_000])('of %i bytes is refused', (bytes) => {
    const key = 'k'.repeat(bytes);
    expect(parseIngestEvent(sent(key))).toMatchObject([{ content: { error: { code: 'malformed-event' } } }]);
    expect(() => requestedKey(parseApiRequest(apiEvent({ query: { key: [key] } }), ['key']))).toThrow(/S3 allows 1024/);
  });
});

describe('the headers of an answer', () => {
  const texts = fc.option(hostileText, { nil: undefined });
  const heads = fc.record({
    contentLength: fc.nat(),
    etag: texts,
    contentType: texts,
    contentEncoding: texts,
    contentLanguage: texts,
    contentDisposition: texts,
    cacheControl: fc.oneof(
      texts,
      fc
        .array(
          fc.constantFrom(
            'public',
            'PUBLIC ',
            's-maxage=60',
            's-maxage = 60',
            'max-age=1',
            'private="a',
            'b"',
            '',
            'public=""',
            'proxy-revalidate',
          ),
        )
        .map((all) => all.join(',')),
    ),
    expires: texts,
    metadata: fc.dictionary(fc.stringMatching(/^[a-z0-9!#$&'*+.^_`|~-]{1,20}$/), hostileText),
    versionId: texts,
    size: fc.nat(),
    checksum: fc.option(fc.record({ algorithm: fc.constant('SHA256'), value: fc.base64String(), type: fc.constant('COMPOSITE') })),
    mode: fc.constantFrom('sse-s3' as const, 'sse-c' as const),
  });

  it('are headers, whatever an object says of itself, and let no cache share it', () => {
    fc.assert(
      fc.property(heads, (head) => {
        const headers = objectHeaders(head);
        for (const [name, value] of Object.entries(headers)) {
          validateHeaderName(name);
          validateHeaderValue(name, value);
        }
        const directives = (headers['cache-control'] ?? '').split(',').map((directive) => directive.trim().toLowerCase());
        expect(directives[0]).toBe('private');
        expect(directives.slice(1).filter((directive) => /^(public|s-maxage|must-revalidate|proxy-revalidate)\b/.test(directive))).toEqual(
          [],
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
