/** The API as it describes itself: https://spec.openapis.org/oas/v3.1.1. Pure. */
import { ERROR_CODES, statusOfCode } from '../errors.ts';
import { SCHEMAS } from './openapi-schemas.ts';

type Json = Record<string, unknown>;

const VERSION = '0.1.0';

const text = { type: 'string' };
const query = (name: string, description: string, schema: Json = text, required = false) => ({
  name,
  in: 'query',
  description,
  required,
  schema,
});
const header = (name: string, description: string) => ({ name, in: 'header', description, schema: text });

const QUERY_OF_WISH = [
  query('download', 'To be saved as a file: under this name, or, if it is empty, under the last segment of the key.'),
  query('redirect', 'No answer points elsewhere.', { const: 'never' }),
];
const OBJECT_QUERY = [query('versionId', 'That version instead of the current one.'), ...QUERY_OF_WISH];
const CONDITIONS = [
  header('If-Match', 'An ETag that the object must have; otherwise 412.'),
  header('If-None-Match', 'An ETag that the caller has; then 304.'),
  header('If-Modified-Since', 'Not newer than this: 304.'),
  header('If-Unmodified-Since', 'Newer than this: 412.'),
];
const RANGES = [
  header('Range', 'One range of bytes: bytes=0-499, bytes=500- or bytes=-500. Anything else is answered with the whole.'),
  header('If-Range', 'The ETag or date of the object that the range belongs to; of another one the whole comes.'),
];
const PATH_KEY = {
  name: 'key',
  in: 'path',
  required: true,
  description: 'The key, percent-encoded; it may hold slashes, encoded or not, and is decoded once.',
  schema: text,
};
const QUERY_KEY = query('key', 'The key.', text, true);

const OBJECT_HEADERS = [
  'Accept-Ranges',
  'Cache-Control',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'ETag',
  'Expires',
  'Last-Modified',
  'X-Content-Type-Options',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-type',
  'x-sealdrop-encryption',
  'x-sealdrop-length',
  'x-sealdrop-version-id',
];
const headers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { schema: text }]));
const withBytes = (...more: string[]) => ({ content: { '*/*': {} }, headers: headers(...OBJECT_HEADERS, ...more) });
const withJson = (schema: keyof typeof SCHEMAS) => ({
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
  headers: headers('Cache-Control'),
});

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  headers: headers('Cache-Control', 'Retry-After', 'WWW-Authenticate', 'Content-Range', 'Accept-Ranges'),
});

/** The gateway's own. */
const THROTTLED = { 429: problem('throttled: more requests than the gateway takes.') };

/** One answer for each status that an error can have, with the codes that it then tells. */
const PROBLEMS = {
  ...Object.fromEntries(
    [...new Set(ERROR_CODES.map(statusOfCode))]
      .sort()
      .map((status) => [String(status), problem(ERROR_CODES.filter((code) => statusOfCode(code) === status).join(', '))]),
  ),
  ...THROTTLED,
};

const NOT_MODIFIED = { description: 'The caller has it.', headers: headers('ETag', 'Last-Modified', 'Cache-Control', 'Expires') };
const PREPARING = {
  description: 'S3 will serve a copy of it, where policy.yml lets it: ask again when Retry-After says.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Preparing' } } },
  headers: headers('Retry-After', 'Cache-Control', 'x-sealdrop-encryption', 'x-sealdrop-version-id'),
};
const REDIRECT = {
  description: 'S3 serves it, by a URL for this version and five minutes.',
  headers: headers('Location', 'Cache-Control', 'x-sealdrop-encryption', 'x-sealdrop-version-id'),
};

function objectPath(key: Json, called: string, asked = OBJECT_QUERY) {
  return {
    get: {
      operationId: `get${called}`,
      summary: 'An object, decrypted, or a range of it',
      parameters: [key, ...asked, ...RANGES, ...CONDITIONS],
      responses: {
        200: { description: 'The object.', ...withBytes() },
        206: { description: 'The range that Content-Range names.', ...withBytes('Content-Range') },
        202: PREPARING,
        304: NOT_MODIFIED,
        307: REDIRECT,
        ...PROBLEMS,
      },
    },
    head: {
      operationId: `head${called}`,
      summary: 'What is known of an object',
      parameters: [key, ...asked, ...CONDITIONS],
      responses: {
        200: { description: 'As a GET of the whole would say.', headers: headers(...OBJECT_HEADERS) },
        304: NOT_MODIFIED,
        ...PROBLEMS,
      },
    },
  };
}

const PAGE = [
  query('limit', 'At most so many.', { type: 'integer', minimum: 1, maximum: 1000 }),
  query('cursor', "A former page's cursor."),
];

/** For who signs with IAM credentials: a method of the gateway has one kind of authorization. */
const signed = <Path extends object>(path: Path) =>
  Object.fromEntries(
    Object.entries(path).map(([method, operation]) => [
      method,
      { ...operation, operationId: `${operation.operationId}Signed`, security: [{ iam: [] }] },
    ]),
  );

const RIGHTED = {
  '/objects/{key}': objectPath(PATH_KEY, 'ObjectByPath'),
  '/object': objectPath(QUERY_KEY, 'ObjectByQuery'),
  '/objects': {
    get: {
      operationId: 'listObjects',
      summary: 'A page of the keys below a prefix',
      parameters: [
        query('prefix', 'What keys begin with; the caller must have the right to all of it.'),
        query('delimiter', 'Keys are told up to it only.'),
        ...PAGE,
      ],
      responses: { 200: { description: 'The page.', ...withJson('Listing') }, ...PROBLEMS },
    },
  },
  '/audit': {
    get: {
      operationId: 'objectHistory',
      summary: 'What happened to an object',
      parameters: [QUERY_KEY, query('from', 'A day or a moment in UTC, inclusive.'), query('to', 'The same.'), ...PAGE],
      responses: { 200: { description: 'The page.', ...withJson('History') }, ...PROBLEMS },
    },
  },
};

const MADE_LINK = {
  201: { description: 'The link. Its path stands below the address of the API; it is told this once.', ...withJson('Link') },
  ...PROBLEMS,
};
const LINK = {
  name: 'link',
  in: 'path',
  required: true,
  description: 'To open it: its token, the last segment of its path. To revoke it: its id.',
  schema: text,
};

/** For who may share. */
const SHARING = {
  '/links': {
    post: {
      operationId: 'createLink',
      summary: 'A link to one version of an object, for whoever has it',
      requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/LinkRequest' } } } },
      responses: MADE_LINK,
    },
  },
  '/links/{link}': {
    delete: {
      operationId: 'revokeLink',
      summary: 'The link opens nothing any more',
      parameters: [LINK],
      responses: { 204: { description: 'It is revoked.', headers: headers('Cache-Control') }, ...PROBLEMS },
    },
  },
};

const { get: getObject, head: headObject } = objectPath(LINK, 'LinkedObject', QUERY_OF_WISH);

const signedPaths = (paths: Record<string, object>) =>
  Object.fromEntries(Object.entries(paths).map(([path, methods]) => [`/iam${path}`, signed(methods)]));

export const OPENAPI = {
  openapi: '3.1.1',
  info: { title: 'Sealdrop', version: VERSION, description: 'Encrypted objects, served decrypted to those who may read them.' },
  security: [{ bearer: [] }],
  paths: {
    ...RIGHTED,
    ...signedPaths(RIGHTED),
    ...SHARING,
    ...signedPaths(SHARING),
    '/links/{link}': { ...SHARING['/links/{link}'], get: { ...getObject, security: [] }, head: { ...headObject, security: [] } },
    '/health': {
      get: {
        operationId: 'health',
        summary: 'That the API answers',
        security: [],
        responses: { 200: { description: 'It does.', ...withJson('Health') }, ...THROTTLED },
      },
    },
    '/openapi.json': {
      get: {
        operationId: 'describe',
        summary: 'This document',
        security: [],
        responses: {
          200: {
            description: 'OpenAPI 3.1.',
            content: { 'application/json': { schema: { type: 'object' } } },
            headers: headers('Cache-Control'),
          },
          ...THROTTLED,
        },
      },
    },
  },
  components: {
    schemas: SCHEMAS,
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      // As the gateway's own extension names it: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html
      iam: { type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authtype': 'awsSigv4' },
    },
  },
};
