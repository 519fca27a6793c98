/** One part of an object, and nothing but that part of that state. */
import type { IncomingMessage } from 'node:http';
import type { Api } from '../api/api.ts';
import { refusalOf } from '../api/refusal.ts';
import { retrying } from '../api/retry.ts';
import { Unanswered } from '../api/unanswered.ts';
import { Failure } from '../failure.ts';
import { type Part, sizeOf } from './parts.ts';
import { OBJECT_PATH, objectQuery, type RemoteObject } from './remote-object.ts';
import { changed } from './worthless.ts';

/** Gets bytes of a part, from its beginning again whenever it is tried again. @param offset within the part */
export type Sink = (chunk: Buffer, offset: number) => void | Promise<void>;

interface FetchOptions {
  signal: AbortSignal;
  /** Told of bytes that came, and, as a negative number, of those that come again. */
  count: (bytes: number) => void;
}

/** @throws Failure: Worthless when the object has another state now, Refusal, Unanswered; what `sink` throws; the signal's reason */
export async function fetchPart(api: Api, object: RemoteObject, part: Part, sink: Sink, { signal, count }: FetchOptions): Promise<void> {
  await retrying(async () => {
    let offset = 0;
    try {
      const answer = await ask(api, object, part, signal);
      for await (const chunk of api.read(answer, signal)) {
        if (offset + chunk.length > sizeOf(part)) throw wrongAnswer(object, `more than the ${sizeOf(part)} bytes that were asked for`);
        await sink(chunk, offset);
        offset += chunk.length;
        count(chunk.length);
      }
      if (offset < sizeOf(part)) throw new Unanswered(api.url, new Error(`${offset} of ${sizeOf(part)} bytes came`), true);
    } catch (error) {
      count(-offset);
      throw error;
    }
  }, signal);
}

async function ask(api: Api, object: RemoteObject, { first, last }: Part, signal: AbortSignal): Promise<IncomingMessage> {
  const { key, etag, versionId, length } = object;
  const headers = { range: `bytes=${first}-${last}`, 'if-match': etag };
  const answer = await api.ask({ method: 'GET', path: OBJECT_PATH, query: objectQuery(key, versionId), headers, signal });
  const { statusCode: status, headers: got } = answer;
  if (status === 206) {
    const wrong =
      got['content-range'] !== `bytes ${first}-${last}/${length}`
        ? wrongAnswer(object, `another range than bytes ${first} to ${last} of ${length}`)
        : got.etag !== etag || (versionId !== null && (got['x-sealdrop-version-id'] ?? versionId) !== versionId)
          ? changed(object)
          : null;
    if (wrong === null) return answer;
    answer.destroy();
    throw wrong;
  }
  if (status === 412) {
    answer.destroy();
    throw changed(object);
  }
  if (status === 200) {
    answer.destroy();
    throw wrongAnswer(object, 'the whole object to a request for a part');
  }
  throw await refusalOf(api, answer, `${key} cannot be fetched`, signal);
}

function wrongAnswer({ key }: RemoteObject, what: string): Failure {
  return new Failure(`${key}: the API answered with ${what}.`, {
    nextStep: 'Something between here and the API changes requests or answers: find it, or go past it.',
  });
}
