/** What commands show: a progress bar where somebody watches, tables, units. */
import { stripVTControlCharacters, styleText } from 'node:util';

const BAR_WIDTH = 30;
const REDRAW_MS = 80;

export interface Progress {
  /** @param done how many of the total */
  update(done: number): void;
  /** Leaves one finished line behind. */
  finish(note: string): void;
}

/** Redraws one line on a terminal; elsewhere only the finished line is printed. */
export function startProgress(label: string, total: number, out: NodeJS.WriteStream = process.stdout): Progress {
  let drawn = 0;
  const line = (done: number, note: string) => {
    const filled = total === 0 ? BAR_WIDTH : Math.round((Math.min(done, total) / total) * BAR_WIDTH);
    const bar = styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(BAR_WIDTH - filled));
    return `${label.padEnd(10)} ${bar} ${String(done).padStart(String(total).length)}/${total} ${note}`;
  };
  return {
    update(done) {
      const now = Date.now();
      if (!out.isTTY || (now - drawn < REDRAW_MS && done < total)) return;
      drawn = now;
      out.write(`\r\x1b[2K${line(done, '')}`);
    },
    finish(note) {
      out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${line(total, note)}\n`);
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

/** What others wrote, such as keys, as one line that does nothing to a terminal: control and direction characters as `\u…`. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
