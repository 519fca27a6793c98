/** Status and headers of a function's answer, checked as the gateway checks them. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';

/** What the gateway keeps for itself: a function's value goes out under another name. */
const REMAPPED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-md5',
  'date',
  'host',
  'server',
  'user-agent',
  'www-authenticate',
]);
/** How the bytes go over the connection is the gateway's business alone. */
const DROPPED: ReadonlySet<string> = new Set(['keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const headSchema = z.object({
  statusCode: z
    .union([z.number(), z.string().regex(/^\d{3}$/)])
    .transform(Number)
    .pipe(z.int().min(200).max(599)),
  headers: z.record(z.string(), value).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(value)).nullish(),
  cookies: z.array(z.string()).nullish(),
});

export interface ResponseHead {
  statusCode: number;
  /** Lower-cased names. */
  headers: Record<string, string[]>;
}

/**
 * The head in an answer, `null` when it is malformed. A name in both maps has the values of `multiValueHeaders`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
 */
export function responseHead(answer: unknown): ResponseHead | null {
  const parsed = headSchema.safeParse(answer);
  if (!parsed.success) return null;
  const { statusCode, headers, multiValueHeaders, cookies } = parsed.data;
  const all: Record<string, string[]> = {};
  const put = (name: string, values: string[]) => {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) all[REMAPPED.has(lower) ? `x-amzn-remapped-${lower}` : lower] = values;
  };
  for (const [name, one] of Object.entries(headers ?? {})) put(name, [one]);
  for (const [name, many] of Object.entries(multiValueHeaders ?? {})) put(name, many);
  if (cookies && cookies.length > 0) put('set-cookie', cookies);
  return valid(all) ? { statusCode, headers: all } : null;
}

function valid(headers: Record<string, string[]>): boolean {
  try {
    for (const [name, values] of Object.entries(headers)) {
      validateHeaderName(name);
      for (const one of values) validateHeaderValue(name, one);
    }
    return true;
  } catch {
    return false;
  }
}
