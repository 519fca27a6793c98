/** What an error of the SDK says, whatever the service. */

/** S3's answers to HEAD have no body, and so no name. */
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'AuthorizationError', 'UnauthorizedOperation', 'Forbidden', '403']);

export function isDenied(cause: unknown): boolean {
  return DENIED.has(errorName(cause)) || httpStatus(cause) === 403;
}

export function errorName(cause: unknown): string {
  return cause instanceof Error ? cause.name : 'Error';
}

export function errorMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

export function httpStatus(cause: unknown): number {
  const metadata = member(cause, '$metadata');
  return Number(member(metadata, 'httpStatusCode') ?? 0);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
