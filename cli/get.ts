/** `npx sealdrop get`: an object through the API, proven, into a file or to standard output. */
import { existsSync } from 'node:fs';
import { openApi } from './api/api.ts';
import { readToken } from './api/arguments.ts';
import { findApi } from './api/find-api.ts';
import type { CommandContext } from './command.ts';
import { Failure } from './failure.ts';
import { type GetArguments, readArguments, USAGE } from './get/arguments.ts';
import { destinationOf, STDOUT } from './get/destination.ts';
import type { DownloadOptions } from './get/options.ts';
import { partPaths } from './get/part-file.ts';
import { inspect } from './get/remote-object.ts';
import { type Get, jsonFailure, jsonReport, textReport } from './get/report.ts';
import { downloadToFile } from './get/to-file.ts';
import { downloadToStream } from './get/to-stream.ts';
import { Worthless } from './get/worthless.ts';
import { plainCommand } from './plain-command.ts';
import { errorMessage } from './sdk-error.ts';
import { startByteProgress } from './terminal.ts';

const HERE = 0;

export const get = plainCommand<GetArguments>({
  usage: USAGE,
  read: readArguments,
  jsonFailure,
  async run(asked, command, interruption) {
    let file: string | null = null;
    try {
      file = asked.file === STDOUT ? STDOUT : await destinationOf(asked.key, asked.file, asked.force);
      const got = await fetchObject(asked, file, command, interruption.signal);
      if (file === STDOUT) command.err(textReport(got));
      else command.out(asked.json ? jsonReport(got) : textReport(got));
      return HERE;
    } catch (error) {
      const left = file === null || file === STDOUT ? null : leftOf(file, error);
      if (interruption.code === null) throw failureOf(error, left);
      command.err(`Interrupted. ${left ?? ''}`.trim());
      return interruption.code;
    }
  },
});

/** What a run that came to no end leaves behind; `null`: nothing. */
function leftOf(file: string, error: unknown): string | null {
  if (error instanceof Worthless) return 'Nothing of it was kept.';
  const { part, state } = partPaths(file);
  return existsSync(state) ? `What was fetched is kept in ${part}: the same command goes on with it.` : null;
}

async function fetchObject(asked: GetArguments, file: string, { env }: CommandContext, signal: AbortSignal): Promise<Get> {
  const started = performance.now();
  const { parallel, partBytes, force: overwrite } = asked;
  const token = readToken(asked, env);
  const api = openApi({ url: await findApi(asked), token, connections: parallel });
  const options: DownloadOptions = { parallel, partBytes, signal, progress: startByteProgress };
  try {
    const object = await inspect(api, asked, signal);
    const downloaded =
      file === STDOUT
        ? await downloadToStream(api, object, process.stdout, options)
        : await downloadToFile(api, object, file, { ...options, overwrite });
    return { object, file, downloaded, ms: performance.now() - started };
  } finally {
    api.close();
  }
}

/** What the file system says names its path. */
function failureOf(error: unknown, left: string | null): unknown {
  const isLocal = error instanceof Error && 'syscall' in error && 'errno' in error;
  const failure = isLocal
    ? new Failure(errorMessage(error), { nextStep: 'Make room or the right to write there, or say another FILE.', cause: error })
    : error;
  if (failure instanceof Failure) failure.left ??= left;
  return failure;
}
