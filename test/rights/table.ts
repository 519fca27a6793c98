/** The table of rights: a line for every resource and action, a column for every function. */
import type { Probe, Verdict } from './probe.ts';
import { FUNCTIONS, type FunctionName } from './world.ts';

export type Verdicts = Record<FunctionName, Verdict>;

export interface Row {
  resource: string;
  action: string;
  verdicts: Verdicts;
}

const MARKS: Record<Verdict, string> = { yes: 'yes', no: '·' };
const HEAD = `| | ${FUNCTIONS.join(' | ')} |\n|---|${FUNCTIONS.map(() => ':-:').join('|')}|`;

/** Markdown: a heading a resource, a line an action. */
export function renderTable(rows: readonly Row[]): string {
  const resources = [...new Set(rows.map(({ resource }) => resource))];
  return resources
    .map((resource) => {
      const lines = rows
        .filter((row) => row.resource === resource)
        .map(({ action, verdicts }) => `| ${action} | ${FUNCTIONS.map((name) => MARKS[verdicts[name]]).join(' | ')} |`);
      return `## ${resource}\n\n${HEAD}\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** @throws when the text is no table that `renderTable` made */
export function parseTable(text: string): Row[] {
  const rows: Row[] = [];
  let resource = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) resource = line.slice(3);
    const cells = line.split('|').map((cell) => cell.trim());
    if (resource === '' || !line.startsWith('| ') || line.startsWith('| |')) continue;
    const [, action = '', ...marks] = cells;
    rows.push({ resource, action, verdicts: verdictsOf(marks) });
  }
  return rows;
}

export const nameOf = ({ resource, action }: Pick<Probe, 'resource' | 'action'>): string => `${action} on ${resource}`;

function verdictsOf(marks: readonly string[]): Verdicts {
  const verdict = (index: number): Verdict => {
    const mark = marks[index];
    if (mark === MARKS.yes) return 'yes';
    if (mark === MARKS.no) return 'no';
    throw new Error(`a cell of the table of rights says "${mark}"`);
  };
  const [encrypt, audit, authorize, download, list, history, health] = FUNCTIONS.map((_, index) => verdict(index));
  if (!(encrypt && audit && authorize && download && list && history && health)) throw new Error('the table of rights lacks a column');
  return { encrypt, audit, authorize, download, list, history, health };
}
