/** Where it is seen what becomes of a file. */
import { type Api, openApi } from '../api/api.ts';
import { readToken } from '../api/arguments.ts';
import { findApi } from '../api/find-api.ts';
import { Failure } from '../failure.ts';
import type { Environment } from '../stack-arguments.ts';
import type { PutArguments } from './arguments.ts';
import { historySince } from './history.ts';

export interface Watch {
  api: Api;
  /** Milliseconds of AWS's clock now. */
  now(): number;
}

/**
 * Before anything is put: who may not see what becomes of a file is told so first.
 * @throws Failure, CannotLook: there is no API, no token, or no right to the key's history
 */
export async function openWatch(asked: PutArguments, env: Environment, signal: AbortSignal): Promise<Watch> {
  let api: Api | null = null;
  try {
    const token = readToken(asked, env);
    api = openApi({ url: await findApi(asked), token });
    const { clockAheadMs } = await historySince(api, asked.key, Date.now(), signal);
    return { api, now: () => Date.now() + clockAheadMs };
  } catch (error) {
    api?.close();
    throw error instanceof Failure ? nothingPut(error) : error;
  }
}

function nothingPut({ message, code, status, instance, nextStep, cause }: Failure): Failure {
  return new Failure(`${message} Nothing was put.`, {
    code: code ?? undefined,
    status: status ?? undefined,
    instance: instance ?? undefined,
    nextStep: `${nextStep ?? ''} Or put it without following it: --no-wait.`.trim(),
    exitCode: 2,
    cause,
  });
}
