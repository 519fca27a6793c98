import { describe, expect, it } from 'vitest';
import { parseApiRequest, parseOpenRequest, requestedKey, wholeNumber } from '../../src/http/request.ts';
import { apiEvent, READER, REQUEST_ID } from '../fixtures/api.ts';
import { event } from '../fixtures/events.ts';

const keyOf = (path: string) => requestedKey(parseApiRequest(apiEvent({ path: { key: path } }), ['key']));
const queriedKey = (key: string) => requestedKey(parseApiRequest(apiEvent({ query: { key: [key] } }), ['key']));
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid-request', status: 400, message: expect.stringMatching(message) });

describe('parseApiRequest', () => {
  it('reads what the gateway sends', () => {
    expect(parseApiRequest(event('list'), ['prefix', 'delimiter', 'limit'])).toEqual({
      method: 'GET',
      pathParameters: {},
      query: { prefix: 'reports/', delimiter: '/', limit: '50' },
      headers: expect.objectContaining({ accept: '*/*', 'user-agent': 'curl/8.10.1' }),
      body: null,
      caller: { subject: 'user-17', claims: expect.objectContaining({ sub: 'user-17', groups: ['sealdrop-readers'] }), principal: null },
      requestId: 'Zk2QeExampleIAMFqWQ=',
    });
  });

  it('is not named by the id that a client may choose', () => {
    const chosen = { ...apiEvent({}), requestContext: { ...apiEvent({}).requestContext, requestId: 'chosen' } };
    expect(parseApiRequest(chosen, []).requestId).toBe(REQUEST_ID);
    const alone = { ...apiEvent({}), requestContext: { requestId: 'chosen' } };
    expect(() => parseApiRequest(alone, [])).toThrow(refused(/not one of a REST API/));
  });

  it.each([
    [1_000_029_999, 'served'],
    [1_000_030_000, 'served'],
    [1_000_030_001, 'unauthenticated'],
  ])('judges at %i ms a token that ends at second 1,000,000: %s', (now, expected) => {
    const judged = () => {
      try {
        parseApiRequest(apiEvent({ claims: { sub: 'user-17', exp: 1_000_000 } }), [], now);
        return 'served';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(judged()).toBe(expected);
  });

  it('names an unknown query parameter and the known ones', () => {
    expect(() => parseApiRequest(apiEvent({ query: { prefx: ['a'] } }), ['prefix', 'limit'])).toThrow(
      refused(/"prefx"; known here: prefix, limit/),
    );
    expect(() => parseApiRequest(apiEvent({ query: { a: ['b'] } }), [])).toThrow(refused(/known here: none/));
  });

  it.each([[['a', 'b']], [['a', 'a']], [[]]])('refuses a query parameter that comes as %j', (values) => {
    expect(() => parseApiRequest(apiEvent({ query: { key: values } }), ['key'])).toThrow(refused(/"key" must come once/));
  });

  it.each([
    ['none', null],
    ['no end', { sub: 'user-17' }],
    ['an end that is no number', { sub: 'user-17', exp: 'soon' }],
    ['no subject', { groups: ['a'] }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no text', { sub: 7 }],
  ])('takes a caller with claims of %s for nobody', (_what, claims) => {
    expect(() => parseApiRequest(apiEvent({ claims }), [])).toThrow(expect.objectContaining({ code: 'unauthenticated', status: 401 }));
  });

  it.each(['not json', '[]', '"text"', 'null'])('takes claims of %s for none', (claims) => {
    const request = { ...apiEvent({}), requestContext: { extendedRequestId: REQUEST_ID, authorizer: { claims } } };
    expect(() => parseApiRequest(request, [])).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it.each([null, {}, 'text', { ...apiEvent({}), requestContext: {} }])('refuses the event %j', (other) => {
    expect(() => parseApiRequest(other, [])).toThrow(refused(/not one of a REST API/));
  });

  it('knows who signed with IAM credentials, where no token came', () => {
    const userArn = 'arn:aws:sts::123456789012:assumed-role/reporting/session-1';
    const signed = { ...apiEvent({ claims: null }), requestContext: { extendedRequestId: REQUEST_ID, identity: { userArn } } };
    expect(parseApiRequest(signed, []).caller).toEqual({
      subject: userArn,
      claims: {},
      principal: 'arn:aws:iam::123456789012:role/reporting',
    });
    const both = { ...signed, requestContext: { ...signed.requestContext, authorizer: { claims: JSON.stringify(READER) } } };
    expect(parseApiRequest(both, []).caller).toMatchObject({ subject: 'user-17', principal: null });
    const nobody = { ...signed, requestContext: { extendedRequestId: REQUEST_ID, identity: { userArn: null } } };
    expect(() => parseApiRequest(nobody, [])).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  });

  it('reads a body as text, also one that came as base64', () => {
    const body = '{"key":"ä"}';
    expect(parseApiRequest({ ...apiEvent({}), body }, []).body).toBe(body);
    expect(parseApiRequest({ ...apiEvent({}), body: Buffer.from(body).toString('base64'), isBase64Encoded: true }, []).body).toBe(body);
  });

  it('of a route that asks nobody has no caller', () => {
    const asked = parseOpenRequest(apiEvent({ claims: null, path: { token: 'x' } }), []);
    expect(asked).toMatchObject({ pathParameters: { token: 'x' }, requestId: REQUEST_ID });
    expect(asked).not.toHaveProperty('caller');
    expect(() => parseOpenRequest(apiEvent({ query: { a: ['b'] } }), [])).toThrow(refused(/unknown query parameter/));
  });

  it('joins what came several times, and hands no token on', () => {
    const headers = { Accept: ['a', 'b'], accept: ['c'], Authorization: ['Bearer x'], AUTHORIZATION: ['Bearer y'] };
    expect({ ...parseApiRequest(apiEvent({ headers }), []).headers }).toEqual({ accept: 'a, b, c' });
  });

  it('hands all claims on', () => {
    expect(parseApiRequest(apiEvent({ claims: { ...READER, nested: { a: [1] } } }), []).caller.claims).toEqual({
      ...READER,
      nested: { a: [1] },
    });
  });
});

describe('requestedKey', () => {
  it.each([
    ['a/b.txt', 'a/b.txt'],
    ['a%2Fb.txt', 'a/b.txt'],
    ['a%252Fb.txt', 'a%2Fb.txt'],
    ['a+b.txt', 'a+b.txt'],
    ['a%20b.txt', 'a b.txt'],
    ['%C3%A9%E6%97%A5%F0%9F%8E%89', 'é日🎉'],
    ['a%2F..%2Fetc', 'a/../etc'],
    ['a%00b', 'a\u0000b'],
    ['folder/', 'folder/'],
  ])('decodes the path %s to %s, exactly once', (path, key) => {
    expect(keyOf(path)).toBe(key);
  });

  it.each(['50%', '%', '%2', '%zz', '%ff', '%C3'])('refuses the broken path %s, and names the way out', (path) => {
    expect(() => keyOf(path)).toThrow(refused(/\/object\?key=/));
  });

  it.each(['50%', '%2F', 'a//b', 'a/../x', 'a+b'])('takes the query %s as it is: the gateway has decoded it', (key) => {
    expect(queriedKey(key)).toBe(key);
  });

  it('refuses no key and an empty one', () => {
    expect(() => requestedKey(parseApiRequest(apiEvent({}), ['key']))).toThrow(refused(/no key/));
    expect(() => queriedKey('')).toThrow(refused(/no key/));
  });

  it('refuses two keys at a time', () => {
    const both = apiEvent({ path: { key: 'a' }, query: { key: ['b'] } });
    expect(() => requestedKey(parseApiRequest(both, ['key']))).toThrow(refused(/one key at a time/));
  });

  it.each([1023, 1024])('takes a key of %d bytes', (bytes) => {
    expect(queriedKey('k'.repeat(bytes))).toHaveLength(bytes);
  });

  it('refuses a key of 1,025 bytes, counted in UTF-8', () => {
    expect(() => queriedKey('k'.repeat(1025))).toThrow(refused(/1025 bytes/));
    expect(() => queriedKey('é'.repeat(513))).toThrow(refused(/1026 bytes/));
  });

  it.each(['..', '../x', 'a/../..', 'a/../../b/c'])('refuses %s, which S3 takes for climbing out of the bucket', (key) => {
    expect(() => queriedKey(key)).toThrow(refused(/climbs out/));
  });

  it('refuses a key that is not Unicode', () => {
    expect(() => queriedKey('a\ud800')).toThrow(refused(/Unicode/));
  });
});

describe('wholeNumber', () => {
  it.each([
    ['1', 1],
    ['999', 999],
    ['1000', 1000],
    [undefined, 100],
  ])('reads %s as %d', (text, value) => {
    expect(wholeNumber('limit', text, 100, 1000)).toBe(value);
  });

  it.each(['0', '-1', '1001', '1.5', '1e2', '', ' 1', '1 ', 'all', '9999999999', '０'])('refuses "%s" with its bounds', (text) => {
    expect(() => wholeNumber('limit', text, 100, 1000)).toThrow(refused(/^limit must be a whole number from 1 to 1000$/));
  });
});
