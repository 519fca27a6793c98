/** docs/rights.md, which people review. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, parseTable, type Row, renderTable, type Verdicts } from './table.ts';

const FILE = join(import.meta.dirname, '../../docs/rights.md');
const MARKER = '<!-- from here on written by `npm run rights` -->\n';

/** Each question's answers, by its name. */
export function reviewedTable(): ReadonlyMap<string, Verdicts> {
  return new Map(parseTable(text().split(MARKER)[1] ?? '').map((row) => [nameOf(row), row.verdicts]));
}

/** Keeps what people wrote above it. */
export function writeTable(rows: readonly Row[]): void {
  writeFileSync(FILE, `${text().split(MARKER)[0]}${MARKER}\n${renderTable(rows)}`);
}

const text = () => readFileSync(FILE, 'utf8');
