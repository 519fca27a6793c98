/** Where functions' output goes: a file for each function, or a callback. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

/** Gets text as a function printed it: one or more lines. */
export type LogSink = (functionName: string, text: string) => void;

export interface Logs {
  write: LogSink;
  close(): Promise<void>;
}

/** @param target a callback, or the folder of the files `<function>.log`, which are appended to. */
export function openLogs(target: LogSink | { folder: string }): Logs {
  if (typeof target === 'function') return { write: target, close: async () => {} };
  const files = new Map<string, WriteStream>();
  let closed = false;
  return {
    write(functionName, text) {
      // The last words of a worker that was ended may come late.
      if (closed) return;
      let file = files.get(functionName);
      if (file === undefined) {
        file = createWriteStream(join(target.folder, `${functionName}.log`), { flags: 'a', mode: 0o600 });
        files.set(functionName, file);
      }
      file.write(text);
    },
    async close() {
      closed = true;
      await Promise.all([...files.values()].map((file) => finished(file.end())));
      files.clear();
    },
  };
}
