/** policy.yml at packaging: read once, with errors that Serverless prints without a stack trace. */
import { readFileSync } from 'node:fs';
import { keysOutside } from '../src/policy/keys.ts';
import { loadPolicy } from '../src/policy/load.ts';
import type { Policy } from '../src/policy/schema.ts';
import { shownError } from './shown-error.ts';

/** @param region refuses keys that lie elsewhere, which S3 could not use; @throws an error without a stack trace */
export function compilePolicy(path: string, region?: string): Policy {
  const policy = read(path);
  const elsewhere = region === undefined ? [] : keysOutside(policy, region);
  if (elsewhere.length === 0) return policy;
  throw shownError(
    elsewhere
      .map((arn) => `${path}: the key ${arn} lies in ${arn.split(':')[3]}; S3 uses keys of its bucket's Region only, here ${region}`)
      .join('\n'),
  );
}

function read(path: string): Policy {
  try {
    return loadPolicy(readFileSync(path, 'utf8'), path);
  } catch (error) {
    throw shownError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
