/** Finds and imports a function's handler as the Node.js runtime does. Runs inside the worker. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerSettings } from './protocol.ts';

const EXTENSIONS = ['', '.js', '.mjs', '.cjs'] as const;

/** Marked when it streams; hence handed on itself, never wrapped. */
export type Handler = (...args: unknown[]) => unknown;

/** A failure of the Init phase; `name` is the runtime's error type. */
class InitError extends Error {
  constructor(name: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = name;
  }
}

/**
 * The exported function that `handler` names.
 * @throws an error named `Runtime.ImportModuleError`, `Runtime.UserCodeSyntaxError`, `Runtime.HandlerNotFound`
 *   or `Runtime.MalformedHandlerName`; what the module itself throws while it loads passes unchanged.
 */
export async function loadHandler({ taskRoot, handler }: WorkerSettings): Promise<Handler> {
  const { module, path } = splitHandler(handler);
  const file = EXTENSIONS.map((extension) => resolve(taskRoot, module + extension)).find((candidate) => existsSync(candidate));
  if (file === undefined) throw new InitError('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  const exports = await importFile(file);
  const found = path.split('.').reduce(member, exports) ?? path.split('.').reduce(member, member(exports, 'default'));
  if (found === undefined) throw new InitError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new InitError('Runtime.HandlerNotFound', `${handler} is not a function`);
  return found as Handler;
}

function splitHandler(handler: string): { module: string; path: string } {
  const match = /^((?:.*\/)?[^./][^/.]*)\.(.+)$/.exec(handler);
  const [, module, path] = match ?? [];
  if (module === undefined || path === undefined || handler.includes('..'))
    throw new InitError('Runtime.MalformedHandlerName', 'Bad handler');
  return { module, path };
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw new InitError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new InitError('Runtime.ImportModuleError', `Error: ${error instanceof Error ? error.message : ''}`, error);
    }
    throw error;
  }
}

function member(holder: unknown, name: string): unknown {
  return (typeof holder === 'object' && holder !== null) || typeof holder === 'function' ? Reflect.get(holder, name) : undefined;
}
