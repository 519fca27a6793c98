/** What commands show: a progress bar where somebody watches, tables, units. */
import { stripVTControlCharacters, styleText } from 'node:util';

const BAR_WIDTH = 30;
const REDRAW_MS = 80;
const CLEAR_LINE = '\r\x1b[2K';

export interface Progress {
  /** @param done how many of the total */
  update(done: number): void;
  /** Leaves one finished line behind. */
  finish(note: string): void;
}

/** Redraws one line on a terminal; elsewhere only the finished line is printed. */
export function startProgress(label: string, total: number, out: NodeJS.WriteStream = process.stdout): Progress {
  const redraw = createRedraw(out);
  const line = (done: number, note: string) =>
    `${label.padEnd(10)} ${bar(done, total)} ${String(done).padStart(String(total).length)}/${total} ${note}`;
  return {
    update: (done) => redraw(() => line(done, ''), done >= total),
    finish(note) {
      out.write(`${out.isTTY ? CLEAR_LINE : ''}${line(total, note)}\n`);
    },
  };
}

/** Of bytes that flow; a command says its end in words of its own. */
export interface ByteProgress {
  /** @param done bytes so far; fewer than before where some are sent again */
  update(done: number): void;
  /** Leaves nothing behind. */
  clear(): void;
}

/**
 * As `startProgress`, with the rate since it started; elsewhere than on a terminal nothing is printed.
 * @param total bytes; `null`: nobody knows
 * @param before bytes that were there already
 */
export function startByteProgress(label: string, total: number | null, before = 0, out: NodeJS.WriteStream = process.stderr): ByteProgress {
  const redraw = createRedraw(out);
  const started = performance.now();
  const line = (done: number) => {
    const amount = total === null ? formatBytes(done) : `${bar(done, total)} ${formatBytes(done)} of ${formatBytes(total)}`;
    return `${label.padEnd(10)} ${amount}, ${formatRate(Math.max(0, done - before), performance.now() - started)}`;
  };
  return {
    update: (done) => redraw(() => line(done), done === total),
    clear() {
      if (out.isTTY) out.write(CLEAR_LINE);
    },
  };
}

/** Columns as wide as their widest cell; numbers (cells that begin with a digit) to the right. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) => Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(width)));
  const draw = (cells: string[]) =>
    cells
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - width(cell));
        return /^\d/.test(stripVTControlCharacters(cell)) ? padding + cell : cell + padding;
      })
      .join('   ')
      .trimEnd();
  return [styleText('bold', draw(head)), styleText('dim', widths.map((size) => '─'.repeat(size)).join('   ')), ...rows.map(draw)].join(
    '\n',
  );
}

/** @param bytes → `1.5 MB`, decimal units */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** @returns `1.5 MB/s` */
export function formatRate(bytes: number, ms: number): string {
  return `${formatBytes(ms <= 0 ? 0 : Math.round((bytes / ms) * 1000))}/s`;
}

/** What others wrote, such as keys, as one line that does nothing to a terminal: control and direction characters as `\u…`. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Draws a line over the last one, not too often unless it must. */
function createRedraw(out: NodeJS.WriteStream): (line: () => string, must: boolean) => void {
  let drawn = 0;
  return (line, must) => {
    const now = Date.now();
    if (!out.isTTY || (now - drawn < REDRAW_MS && !must)) return;
    drawn = now;
    out.write(`${CLEAR_LINE}${line()}`);
  };
}

function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.round((Math.min(done, total) / total) * BAR_WIDTH);
  return styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(BAR_WIDTH - filled));
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
