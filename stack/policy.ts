/** policy.yml at packaging: read once, with errors that Serverless prints without a stack trace. */
import { readFileSync } from 'node:fs';
import { loadPolicy } from '../src/policy/load.ts';
import type { Policy } from '../src/policy/schema.ts';

export { encryptKeyArns as namedKeyArns } from '../src/policy/keys.ts';

/** @throws an error whose stack is its message: Serverless shows the stack of what a configuration file throws. */
export function compilePolicy(path: string): Policy {
  try {
    return loadPolicy(readFileSync(path, 'utf8'), path);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const shown = new Error(message, { cause: error });
    shown.stack = `\n${message}`;
    throw shown;
  }
}
