/** The state of an object that is to be fetched. */
import type { IncomingMessage } from 'node:http';
import type { Api } from '../api/api.ts';
import { Refusal, refusalOf } from '../api/refusal.ts';
import { retrying } from '../api/retry.ts';
import { Failure } from '../failure.ts';
import { type WholeChecksum, wholeChecksum } from './checksum.ts';

/** The API's address of any key: a path cannot carry each. */
export const OBJECT_PATH = '/object';

export interface RemoteObject {
  key: string;
  /** With quotes, as it came. */
  etag: string;
  /** `null`: the target bucket has no versions. */
  versionId: string | null;
  /** Bytes. */
  length: number;
  checksum: WholeChecksum | null;
}

/** @throws Failure: Refusal, Unanswered, or an answer that is none of Sealdrop's */
export async function inspect(api: Api, wanted: { key: string; versionId: string | null }, signal: AbortSignal): Promise<RemoteObject> {
  const head = () => ask(api, { method: 'HEAD', ...wanted }, signal);
  const answer = await retrying(head, signal).catch(async (error: unknown) => {
    throw error instanceof Refusal && error.status >= 500 ? await explained(error, api, wanted, signal) : error;
  });
  answer.resume();
  return describe(wanted.key, answer);
}

/** A HEAD has no words for why it failed; a GET of a byte has. */
async function explained(
  refusal: Refusal,
  api: Api,
  wanted: { key: string; versionId: string | null },
  signal: AbortSignal,
): Promise<unknown> {
  try {
    (await ask(api, { method: 'GET', ...wanted }, signal)).destroy();
    return refusal;
  } catch (error) {
    return error instanceof Refusal && error.status >= 500 ? error : refusal;
  }
}

async function ask(
  api: Api,
  { method, key, versionId }: { method: 'HEAD' | 'GET'; key: string; versionId: string | null },
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers: Record<string, string> = method === 'GET' ? { range: 'bytes=0-0' } : {};
  const answer = await api.ask({ method, path: OBJECT_PATH, query: objectQuery(key, versionId), headers, signal });
  if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
  throw await refusalOf(api, answer, `${key} cannot be fetched`, signal);
}

/** No redirect: the token is for the API alone. */
export function objectQuery(key: string, versionId: string | null): Record<string, string> {
  return { key, redirect: 'never', ...(versionId === null ? {} : { versionId }) };
}

function describe(key: string, { headers }: IncomingMessage): RemoteObject {
  const { etag } = headers;
  const length = headers['x-sealdrop-length'];
  const versionId = headers['x-sealdrop-version-id'];
  if (etag === undefined || typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    throw new Failure(
      `${key}: the answer has no ${etag === undefined ? 'ETag' : 'x-sealdrop-length'}, by which a state is told from another.`,
      {
        nextStep: 'Is --api or SEALDROP_API_URL the address of a Sealdrop API, with nothing between that drops its headers?',
      },
    );
  }
  return {
    key,
    etag,
    versionId: typeof versionId === 'string' ? versionId : null,
    length: Number(length),
    checksum: wholeChecksum(headers),
  };
}
