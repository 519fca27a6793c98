/** Errors as `application/problem+json`: https://www.rfc-editor.org/rfc/rfc9457 */
import { asSealdropError, type ErrorCode } from '../errors.ts';

export interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** What callers may know of our own trouble is its name: messages of AWS hold bucket names, ARNs and roles. */
const TITLES: Partial<Record<ErrorCode, string>> = {
  'invalid-request': 'Bad Request',
  unauthenticated: 'Unauthorized',
  forbidden: 'Forbidden',
  'not-found': 'Not Found',
  'precondition-failed': 'Precondition Failed',
  'range-not-satisfiable': 'Range Not Satisfiable',
  'use-ranges': 'Forbidden',
};

const RETRY_AFTER_SECONDS = '5';

/** @param requestId what the caller can name when asking for help; audit events and logs hold it too */
export function toProblem(error: unknown, requestId: string): HttpResponse {
  const { code, status, message, nextStep, retryable } = asSealdropError(error);
  const title = TITLES[code];
  const problem = {
    type: 'about:blank',
    title: title ?? 'The object cannot be served',
    status,
    code,
    detail: title === undefined ? `Sealdrop's operators must act or a retry helps: ${code}.` : `${message}. ${nextStep}`,
    instance: `urn:request:${requestId}`,
  };
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      // https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
      ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryable ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    },
    body: JSON.stringify(problem),
  };
}

export function toJson(body: unknown, statusCode = 200): HttpResponse {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}

export const toCreated = (body: unknown): HttpResponse => toJson(body, 201);

export function toNothing(): HttpResponse {
  return { statusCode: 204, headers: { 'cache-control': 'no-store' }, body: '' };
}
