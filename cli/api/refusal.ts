/** What the API says where it does not give what was asked for: https://www.rfc-editor.org/rfc/rfc9457 */
import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { isErrorCode, mayHeal, nextStepOf } from '../error-code.ts';
import { Failure } from '../failure.ts';
import type { Api } from './api.ts';

/** A problem is some hundred bytes; what is longer is none. */
const MAX_PROBLEM_BYTES = 64 * 1024;
const MAX_SHOWN = 500;

const problemSchema = z.object({
  code: z.optional(z.string()),
  detail: z.optional(z.string()),
  instance: z.optional(z.string()),
  /** The gateway's own errors, where a stack leaves them as they are. */
  message: z.optional(z.string()),
});

type Problem = Partial<z.infer<typeof problemSchema>>;

/** A HEAD has no body: its status has the one meaning that the API gives it there. */
const CODES_OF_HEAD: Record<number, string> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not-found', 412: 'precondition-failed' };

const NEXT_STEPS: Record<number, string> = {
  401: "Get a new token of the API's issuer (in the sandbox: npx sealdrop token), and run the same command again.",
  429: 'The API is asked too often: run the same command later, or with a smaller --parallel.',
};

export class Refusal extends Failure {
  override readonly name = 'Refusal';
  override readonly status: number;
  /** The same request may be granted later. */
  readonly retryable: boolean;
  /** `null`: the answer names no time. */
  readonly retryAfterMs: number | null;

  constructor(status: number, message: string, { retryable, retryAfterMs, ...details }: RefusalDetails) {
    super(message, { ...details, status });
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

interface RefusalDetails {
  code: string | undefined;
  instance: string | undefined;
  nextStep: string;
  retryable: boolean;
  retryAfterMs: number | null;
}

/**
 * Reads the rest of the answer.
 * @param what could not be had, such as `cards/a.pdf could not be fetched`
 * @throws Unanswered when the connection breaks meanwhile
 */
export async function refusalOf(api: Api, answer: IncomingMessage, what: string, signal: AbortSignal): Promise<Refusal> {
  const { statusCode: status = 0, headers } = answer;
  const text = await readText(api, answer, signal);
  const isProblem = headers['content-type']?.startsWith('application/problem+json') === true;
  const problem = text === '' && isProblem ? { code: CODES_OF_HEAD[status] } : problemOf(text);
  const { code } = problem;
  const requestId = headers['x-amzn-requestid'];
  const nextStep = nextStepFor(status, code);
  const detail = (problem.detail ?? problem.message ?? '').replace(nextStep, '').trim().slice(0, MAX_SHOWN);
  const said = [String(status), code ?? '', detail === '' ? '' : `(${detail})`].filter((part) => part !== '').join(' ');
  return new Refusal(status, `${what}: ${said}`, {
    code,
    instance: problem.instance ?? (typeof requestId === 'string' ? `urn:request:${requestId}` : undefined),
    nextStep,
    retryable: isRetryable(status, code),
    retryAfterMs: retryAfter(headers['retry-after']),
  });
}

/** Its own codes tell better than a status: a disabled key is a 503 that no other try changes. */
function isRetryable(status: number, code: string | undefined): boolean {
  if (status !== 429 && status < 500) return false;
  return code === undefined || !isErrorCode(code) || mayHeal(code);
}

function nextStepFor(status: number, code: string | undefined): string {
  const own = NEXT_STEPS[status];
  if (own !== undefined) return own;
  if (code !== undefined && isErrorCode(code) && !mayHeal(code)) return nextStepOf(code);
  if (status >= 500) return 'Run the same command later; if it lasts, ask the operators.';
  return 'Is --api or SEALDROP_API_URL the address of a Sealdrop API?';
}

/** @returns milliseconds; seconds and dates are both allowed: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function problemOf(text: string): Problem {
  try {
    const parsed = problemSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

async function readText(api: Api, answer: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of api.read(answer, signal)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_PROBLEM_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}
