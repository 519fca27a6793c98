/** What people and scripts read. */
import { styleText } from 'node:util';
import { formatSeconds } from '../terminal.ts';
import type { DoctorContext } from './context.ts';
import type { Examination, Examined } from './examine.ts';
import { type Finding, worst } from './finding.ts';

/** Of the JSON document: raised when a member changes its meaning. */
const VERSION = 1;

const SIGNS = { error: ['red', '✗'], warning: ['yellow', '!'], well: ['green', '✓'] } as const;

export function findingsOf({ examined }: Examination): Finding[] {
  return examined.flatMap(({ findings }) => findings);
}

/** One document; findings carry what a script needs to tell them apart. */
export function jsonReport({ stack, policyFile, operator }: DoctorContext, examination: Examination): string {
  const findings = findingsOf(examination);
  return JSON.stringify(
    {
      version: VERSION,
      ok: findings.length === 0,
      stack: { name: stack.name, status: stack.status, region: stack.region, account: stack.account },
      policy: policyFile,
      operator,
      areas: examination.examined.map(({ area, findings: found, held }) => ({ area, ok: found.length === 0, held })),
      roundTrips: examination.proofs,
      skipped: examination.skipped,
      findings,
    },
    null,
    2,
  );
}

/** The same document for a stack that could not be looked at. */
export function jsonFailure(message: string): string {
  return JSON.stringify({ version: VERSION, ok: false, error: message, findings: [] }, null, 2);
}

export function textReport(context: DoctorContext, examination: Examination): string {
  const { stack, policyFile, operator } = context;
  const findings = findingsOf(examination);
  const width = Math.max(...examination.examined.map(({ area }) => area.length));
  const parts = [
    `${styleText('bold', stack.name)}, ${stack.region}, account ${stack.account}, as ${operator}, by ${policyFile}`,
    [
      ...examination.examined.map((examined) => areaLine(examined, examination, width)),
      ...examination.skipped.map((what) => `${styleText('dim', '–')} ${styleText('dim', `not tried: ${what}`)}`),
    ].join('\n'),
    ...findings.map(findingText),
    conclusion(examination, findings),
  ];
  return parts.join('\n\n');
}

function areaLine({ area, findings, held }: Examined, { proofs }: Examination, width: number): string {
  const severity = worst(findings);
  const slowest = Math.max(0, ...proofs.flatMap(({ ms }) => ms ?? []));
  const well = area === 'round trip' && held.length > 0 ? `${held.join(', ')} in ${formatSeconds(slowest)}` : held.join('; ');
  const said = severity === null ? well : [count(findings), well && `well: ${well}`].filter((note) => note !== '').join('; ');
  return `${sign(severity)} ${area.padEnd(width)}  ${said}`.trimEnd();
}

function findingText(finding: Finding): string {
  const { id, severity, resource, what, nextStep, command } = finding;
  return [
    `${sign(severity)} ${styleText('bold', id)}  ${styleText('dim', resource)}`,
    `  ${what}`,
    `  → ${nextStep}`,
    ...(command === undefined ? [] : [`    ${command}`]),
  ].join('\n');
}

function conclusion({ proofs, examined }: Examination, findings: Finding[]): string {
  if (findings.length > 0) return `${count(findings)}.`;
  const arrived = proofs.filter(({ ms }) => ms !== null);
  const back = proofs.filter(({ downloaded }) => downloaded);
  if (proofs.length === 0) return `Well, as far as settings tell: ${examined.map(({ area }) => area).join(', ')}. No object was sent.`;
  const fetched = back.length > 0 ? ', and came back through the API byte for byte' : '';
  return `Well: ${arrived.length} of ${proofs.length} encryptions were tried with a real object, which was stored as the policy says${fetched}.`;
}

function count(findings: Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  return [plural(errors, 'error'), plural(warnings, 'warning')].filter((text) => text !== '').join(', ');
}

function plural(many: number, word: string): string {
  return many === 0 ? '' : `${many} ${word}${many === 1 ? '' : 's'}`;
}

function sign(severity: Finding['severity'] | null): string {
  const [color, mark] = SIGNS[severity ?? 'well'];
  return styleText(color, mark);
}
