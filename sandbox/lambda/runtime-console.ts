/** How the runtime writes what a function says: one line of text with time, request id and level. Runs inside the worker. */
import { format } from 'node:util';
import type { FunctionFailure } from './protocol.ts';

const LEVELS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' } as const;

/** Routes `console` to standard output in the runtime's format. Line feeds become carriage returns, so that one call is one line. */
export function useLambdaConsole(requestId: () => string | undefined): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    const say = (...args: unknown[]): void => {
      const text = format(...args).replaceAll('\n', '\r');
      process.stdout.write(`${new Date().toISOString()}\t${requestId() ?? 'undefined'}\t${level}\t${text}\n`);
    };
    Object.defineProperty(console, method, { value: say, configurable: true, writable: true });
  }
}

/** An error as the runtime reports it: type, message and the lines of its stack. */
export function describeFailure(error: unknown): FunctionFailure {
  if (error instanceof Error) return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}
