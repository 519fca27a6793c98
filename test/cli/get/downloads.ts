/** Downloads from a fake API into a folder of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi } from '../../../cli/api/api.ts';
import type { DownloadOptions } from '../../../cli/get/options.ts';
import { inspect } from '../../../cli/get/remote-object.ts';
import { downloadToFile } from '../../../cli/get/to-file.ts';
import type { FakeApi } from './fake-api.ts';

export const PART = 1000;
export const TOKEN = 'header.canary-of-a-token.signature';
export const quiet: DownloadOptions['progress'] = () => ({ update: () => {}, clear: () => {} });

export interface Folder {
  file: string;
  names(): string[];
  read(name?: string): Buffer;
  remove(): void;
}

export function makeFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-get-'));
  return {
    file: join(folder, 'object.bin'),
    names: () => readdirSync(folder).sort(),
    read: (name = 'object.bin') => readFileSync(join(folder, name)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Run extends Partial<DownloadOptions> {
  overwrite?: boolean;
  idleMs?: number;
}

/** As `sealdrop get` does it once it knows what and where. */
export async function download(fake: FakeApi, file: string, { overwrite = false, idleMs, ...more }: Run = {}) {
  const options = { parallel: 4, partBytes: PART, signal: new AbortController().signal, progress: quiet, ...more };
  const api = openApi({ url: fake.url, token: TOKEN, connections: options.parallel, ...(idleMs === undefined ? {} : { idleMs }) });
  try {
    const object = await inspect(api, { key: 'a key/ü+%.bin', versionId: null }, options.signal);
    return await downloadToFile(api, object, file, { ...options, overwrite });
  } finally {
    api.close();
  }
}
