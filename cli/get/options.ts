/** How a download is done, and what came of it. */
import type { ByteProgress } from '../terminal.ts';
import type { Proof } from './checksum.ts';

export interface DownloadOptions {
  /** Parts at once. */
  parallel: number;
  partBytes: number;
  signal: AbortSignal;
  /** Begins to show something that flows. @param before bytes that were there already */
  progress(label: string, total: number, before: number): ByteProgress;
}

export interface Downloaded {
  proof: Proof;
  /** What another run had fetched. */
  resumedBytes: number;
}
