/** What became of states of an object, as the API's history tells. */
import * as z from 'zod/mini';
import type { Api } from '../api/api.ts';
import { refusalOf } from '../api/refusal.ts';
import { retrying } from '../api/retry.ts';
import { Failure } from '../failure.ts';

/** The most that one page has. */
const PAGE = '1000';

const eventSchema = z.object({
  action: z.string(),
  /** ISO 8601. Of an encryption: when its source was stored. */
  at: z.string(),
  size: z.optional(z.number()),
  sourceVersionId: z.optional(z.string()),
  code: z.optional(z.string()),
  encryption: z.optional(
    z.object({
      mode: z.string(),
      keyArn: z.optional(z.string()),
      bucketKey: z.optional(z.boolean()),
      customerKeyVersion: z.optional(z.string()),
    }),
  ),
});

const pageSchema = z.object({ events: z.array(eventSchema), cursor: z.nullable(z.string()) });

export type HistoryEvent = z.infer<typeof eventSchema>;
export type StoredEncryption = NonNullable<HistoryEvent['encryption']>;

export interface History {
  events: HistoryEvent[];
  /** How far the API's clock is ahead of ours, in milliseconds; whole seconds, as HTTP tells them. */
  clockAheadMs: number;
}

/**
 * @param from milliseconds of the API's clock
 * @throws Failure: Refusal, Unanswered, an answer that is none of Sealdrop's
 */
export async function historySince(api: Api, key: string, from: number, signal: AbortSignal): Promise<History> {
  const events: HistoryEvent[] = [];
  let clockAheadMs = 0;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = { key, from: new Date(from).toISOString(), limit: PAGE, ...(cursor === '' ? {} : { cursor }) };
    const page: Page = await retrying(() => askPage(api, query, signal), signal);
    events.push(...page.events);
    ({ cursor, clockAheadMs } = page);
  }
  return { events, clockAheadMs };
}

type Page = z.infer<typeof pageSchema> & { clockAheadMs: number };

async function askPage(api: Api, query: Record<string, string>, signal: AbortSignal): Promise<Page> {
  const answer = await api.ask({ method: 'GET', path: '/audit', query, signal });
  const what = `The history of ${query.key}, by which it is followed, cannot be seen`;
  if (answer.statusCode !== 200) throw await refusalOf(api, answer, what, signal);
  const said = Date.parse(answer.headers.date ?? '');
  const clockAheadMs = Number.isNaN(said) ? 0 : said - Date.now();
  const chunks: Buffer[] = [];
  for await (const chunk of api.read(answer, signal)) chunks.push(chunk);
  const page = pageSchema.safeParse(parseJson(Buffer.concat(chunks).toString())).data;
  if (page === undefined) {
    throw new Failure(`${what}: the answer is none of Sealdrop's.`, {
      nextStep: 'Is --api or SEALDROP_API_URL the address of a Sealdrop API?',
    });
  }
  return { ...page, clockAheadMs };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
