/** What a command could not do, for people and scripts. */
import { shown } from './terminal.ts';

interface FailureDetails {
  /** Sealdrop's or AWS's own name for it. */
  code?: string | undefined;
  /** HTTP status, where a server answered. */
  status?: number | undefined;
  /** The request's own name: operators find it in audit trail and logs. */
  instance?: string | undefined;
  nextStep?: string | undefined;
  /** Default 1: it was tried. 2: it could not be. */
  exitCode?: 1 | 2 | undefined;
  cause?: unknown;
}

/** The message says what, and of which key or file; it never holds a token or bytes of an object. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly code: string | null;
  readonly status: number | null;
  readonly instance: string | null;
  readonly nextStep: string | null;
  readonly exitCode: 1 | 2;
  /** What of the work stays, where some was done. */
  left: string | null = null;

  constructor(message: string, { code, status, instance, nextStep, exitCode = 1, cause }: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code ?? null;
    this.status = status ?? null;
    this.instance = instance ?? null;
    this.nextStep = nextStep ?? null;
    this.exitCode = exitCode;
  }
}

/** What others wrote is in it, servers and owners of keys: made harmless for a terminal. */
export function failureText({ message, nextStep, instance, left }: Failure): string {
  return [
    shown(message),
    ...(left === null ? [] : [shown(left)]),
    ...(nextStep === null ? [] : [`  → ${shown(nextStep)}`]),
    ...(instance === null ? [] : [`  Operators find it as ${shown(instance)}`]),
  ].join('\n');
}

/** The members of a JSON document that say why. */
export function failureMembers({ message, code, status, nextStep, instance, left }: Failure) {
  return { error: message, code, status, nextStep, instance, left };
}
