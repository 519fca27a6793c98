/** Presigned URLs, used as a browser would. */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { has, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';
import type { Stage } from '../stage.ts';
import { type At, customerKey, head, put } from './objects.ts';

const BY_QUERY = ['s3-api', 'sigv4-query-string-auth'] as const;
const URLS = ['s3-guide', 'using-presigned-url'] as const;
const RANGES = ['s3-api', 'API_GetObject'] as const;
const DAY_MS = 86_400_000;

export const PRESIGNED: Expectation[] = [
  expectation('s3.presigned.get', 'a presigned URL gives the object to whoever has it', URLS, async (stage) => {
    const { at } = await put(stage, { ContentType: 'text/plain' });
    const { status, body, headers } = await fetched(await presignGet(stage, at));
    same('the answer', [status, body, headers.get('content-type')], [200, 'content', 'text/plain']);
  }),
  expectation('s3.presigned.range', 'a presigned URL gives a range, whose header is not signed', RANGES, async (stage) => {
    const { at } = await put(stage);
    const { status, body } = await fetched(await presignGet(stage, at), { headers: { range: 'bytes=3-' } });
    same('the answer', [status, body], [206, 'tent']);
  }),
  expectation('s3.presigned.overrides', 'response-… parameters of a presigned URL replace headers of the answer', RANGES, async (stage) => {
    const { at } = await put(stage);
    const ResponseContentDisposition = 'attachment; filename="a b.txt"';
    const { headers } = await fetched(await presignGet(stage, { ...at, ResponseContentDisposition, ResponseContentType: 'text/csv' }));
    same('the disposition', headers.get('content-disposition'), ResponseContentDisposition);
    same('the type', headers.get('content-type'), 'text/csv');
  }),
  expectation('s3.presigned.version', 'a presigned URL may name a version', URLS, async (stage) => {
    const { at, answer } = await put(stage, { Bucket: await stage.versionedBucket(), Body: 'old' });
    await put(stage, { ...at, Body: 'new' });
    same('what it gives', (await fetched(await presignGet(stage, { ...at, VersionId: answer.VersionId }))).body, 'old');
  }),
  expectation('s3.presigned.method', 'a presigned URL is of one method', URLS, async (stage) => {
    const { at } = await put(stage);
    const url = await getSignedUrl(stage.s3, new HeadObjectCommand(at));
    same('HEAD', (await fetched(url, { method: 'HEAD' })).status, 200);
    await refused(fetched(url), '403 SignatureDoesNotMatch');
  }),
  expectation('s3.presigned.put', 'a presigned URL takes any bytes, and keeps the metadata that it holds', URLS, async (stage) => {
    const at = { Bucket: await stage.bucket(), Key: stage.unique('presigned') };
    const url = await getSignedUrl(stage.s3, new PutObjectCommand({ ...at, Metadata: { by: 'url' } }));
    await fetched(url, { method: 'PUT', body: 'uploaded' });
    has('the object', await head(stage, at), { ContentLength: 8 });
    same('its metadata', (await head(stage, at)).Metadata, { by: 'url' });
  }),
  expectation('s3.presigned.sse-c', 'a presigned URL of an SSE-C object needs the signed headers', URLS, async (stage) => {
    const key = customerKey();
    const { at } = await put(stage, { ...key });
    const url = await presignGet(stage, { ...at, ...key });
    const headers = {
      'x-amz-server-side-encryption-customer-algorithm': key.SSECustomerAlgorithm,
      'x-amz-server-side-encryption-customer-key': key.SSECustomerKey,
      'x-amz-server-side-encryption-customer-key-md5': key.SSECustomerKeyMD5,
    };
    same('with the key', (await fetched(url, { headers })).body, 'content');
    await refused(fetched(url), '403 SignatureDoesNotMatch');
  }),
  expectation('s3.presigned.altered', 'a presigned URL is of one object', BY_QUERY, async (stage) => {
    const [first, second] = [await put(stage), await put(stage)];
    const url = await presignGet(stage, first.at);
    await refused(fetched(url.replace(first.at.Key, second.at.Key)), '403 SignatureDoesNotMatch');
  }),
  expectation('s3.presigned.expired', 'a presigned URL ends when it says so', BY_QUERY, async (stage) => {
    const { at } = await put(stage);
    const url = await presignGet(stage, at, { expiresIn: 60, signingDate: new Date(Date.now() - DAY_MS) });
    await refused(fetched(url), '403 AccessDenied');
  }),
  expectation('s3.presigned.early', 'a presigned URL does not begin a day before its date', BY_QUERY, async (stage) => {
    const { at } = await put(stage);
    const url = await presignGet(stage, at, { signingDate: new Date(Date.now() + DAY_MS) });
    await refused(fetched(url), '403 AccessDenied');
  }),
  expectation('s3.presigned.too-long', 'a presigned URL is good for seven days at most', BY_QUERY, async (stage) => {
    const { at } = await put(stage);
    const url = await presignGet(stage, at, { expiresIn: 604_800 });
    same('seven days', (await fetched(url)).status, 200);
    const longer = url.replace('X-Amz-Expires=604800', 'X-Amz-Expires=604801');
    await refused(fetched(longer), '400 AuthorizationQueryParametersError');
  }),
  expectation('s3.presigned.incomplete', 'a presigned URL without one of its parameters is refused', BY_QUERY, async (stage) => {
    const { at } = await put(stage);
    const url = await presignGet(stage, at);
    for (const name of ['Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature']) {
      const without = url.replace(new RegExp(`X-Amz-${name}=[^&]*&?`), '');
      await refused(fetched(without), '400 AuthorizationQueryParametersError');
    }
  }),
  expectation('s3.presigned.unsigned-header', 'every x-amz- header beside a presigned URL must be signed', BY_QUERY, async (stage) => {
    const at = { Bucket: await stage.bucket(), Key: stage.unique('presigned') };
    const url = await getSignedUrl(stage.s3, new PutObjectCommand(at));
    await refused(fetched(url, { method: 'PUT', body: 'x', headers: { 'x-amz-meta-a': '1' } }), '403 AccessDenied');
  }),
  expectation(
    's3.presigned.with-authorization',
    'a presigned URL beside an Authorization header is refused with InvalidArgument',
    ['s3-api', 'ErrorResponses'],
    async (stage) => {
      const { at } = await put(stage);
      const headers = { authorization: 'Bearer token' };
      await refused(fetched(await presignGet(stage, at), { headers }), '400 InvalidArgument');
    },
  ),
];

function presignGet(stage: Stage, at: At & Partial<GetObjectCommand['input']>, options: Parameters<typeof getSignedUrl>[2] = {}) {
  return getSignedUrl(stage.s3, new GetObjectCommand(at), options);
}

/** @throws a refusal as the SDK would */
async function fetched(url: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  const body = await response.text();
  if (response.ok) return { status, headers, body };
  const element = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '';
  throw Object.assign(new Error(element('Message')), { name: element('Code'), $metadata: { httpStatusCode: status } });
}
