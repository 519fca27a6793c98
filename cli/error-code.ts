/** What the product itself says of its codes. */
import { ERROR_CODES, type ErrorCode, SealdropError } from '../src/errors.ts';

export function nextStepOf(code: ErrorCode): string {
  return new SealdropError(code, '').nextStep;
}

export function isErrorCode(text: string): text is ErrorCode {
  return ERROR_CODES.some((code) => code === text);
}

/** The same request may succeed later by itself. */
export function mayHeal(code: ErrorCode): boolean {
  return new SealdropError(code, '').retryable;
}
