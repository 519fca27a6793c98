/** What a run found, for people. */
import { SERVICES } from './catalogue.ts';
import type { Known, Verdict } from './differences.ts';
import type { Outcome } from './run.ts';

/** A table for the terminal: what is not shared, and whether that is known. */
export function differencesTable({ explained, unexplained, vanished, unknown }: Verdict): string {
  const rows = [
    ...unexplained.map(({ expectation, difference }) => ['UNEXPLAINED', expectation.id, difference ?? '']),
    ...vanished.map((id) => ['VANISHED', id, 'explained, but shared by now']),
    ...unknown.map((id) => ['UNKNOWN', id, 'explained, but there is no such expectation']),
    ...explained.map(({ outcome }) => ['explained', outcome.expectation.id, outcome.difference ?? '']),
  ];
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const [first, second] = [width(0), width(1)];
  return rows.map(([a = '', b = '', c = '']) => `${a.padEnd(first)}  ${b.padEnd(second)}  ${c}`).join('\n');
}

interface Run {
  known: Known;
  outcomes: readonly Outcome[];
  verdict: Verdict;
}

/** The page `docs/conformance.md`; the same findings are the same page to the byte. */
export function reportPage({ known, outcomes, verdict }: Run): string {
  return `${[
    '# A second opinion',
    '',
    '<!-- Written by scripts/second-emulator.sh --update; the reasons stand in test/conformance/differences.yml. -->',
    '',
    `The suite in \`test/conformance/\` holds ${outcomes.length} expectations, each with the page of AWS that says so, and drives any server through the official SDK.`,
    `Sealdrop's sandbox shares all of them (\`npm test\`). [${known.name}](${known.home}) ${known.version}, which we did not write, shares ${verdict.shared} (${known.seen}); the other ${verdict.explained.length} are below.`,
    '',
    '```sh',
    'scripts/second-emulator.sh                                                  # installs it, asks it everything, stops it; needs Python 3',
    'scripts/second-emulator.sh --update                                         # and writes this page',
    'npm run test:conformance -- --endpoint URL [--server NAME] [--service s3]   # any other server',
    'npm run test:conformance -- --help                                          # AWS itself too',
    '```',
    '',
    'Exit 1 when an expectation fails that `differences.yml` does not explain, or when an explained one holds by now.',
    'CI runs the script, which also fails when this page is not what it found, and drives the functions against the same server.',
    '',
    '| service | expectations | shared | not shared |',
    '|---|---|---|---|',
    ...SERVICES.map((service) => countsOf(service, outcomes)),
    '',
    `## What ${known.name} does not share`,
    '',
    ...SERVICES.flatMap((service) => section(service, verdict)),
  ].join('\n')}`;
}

function countsOf(service: string, outcomes: readonly Outcome[]): string {
  const own = outcomes.filter(({ expectation }) => expectation.id.startsWith(`${service}.`));
  const shared = own.filter(({ difference }) => difference === null).length;
  return `| ${service} | ${own.length} | ${shared} | ${own.length - shared} |`;
}

function section(service: string, { explained }: Verdict): string[] {
  const own = explained.filter(({ outcome }) => outcome.expectation.id.startsWith(`${service}.`));
  const reasons = [...new Set(own.map(({ why }) => why))];
  if (reasons.length === 0) return [];
  return [
    `### ${service}`,
    '',
    ...reasons.flatMap((why) => [
      why.trim().replaceAll(/\s+/g, ' '),
      '',
      '| expectation | AWS says | found |',
      '|---|---|---|',
      ...own.filter((one) => one.why === why).map(({ outcome }) => row(outcome)),
      '',
    ]),
  ];
}

function row({ expectation: { id, title, page }, difference }: Outcome): string {
  return `| \`${id}\` | [${cell(title)}](${page}) | ${cell(stable(difference ?? ''))} |`;
}

/** Names, ids and keys differ from run to run; the page must not. */
function stable(text: string): string {
  return text
    .replaceAll(/conformance-([a-z]+)-[0-9a-f]{8}-[0-9a-f]{8}/g, 'conformance-$1')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '…')
    .replaceAll(/\bA[IR][A-Z]{2}[A-Z0-9]{12,}/g, '…')
    .replaceAll(/[0-9a-f]{32}/g, '…')
    .replaceAll(/[A-Za-z0-9+/]{22,}={1,2}/g, '…');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
