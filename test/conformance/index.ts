/** `npm run test:conformance`: holds the expectations against any server. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { expectationsOf, SERVICES, type ServiceName } from './catalogue.ts';
import { summary } from './difference.ts';
import { judge, knownDifferences, type Verdict } from './differences.ts';
import { differencesTable, reportPage } from './report.ts';
import { type Outcome, runExpectations } from './run.ts';
import { openStage, type Target } from './stage.ts';

const HELP = `npm run test:conformance -- --endpoint URL [options]

  --endpoint URL   the server; credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (default: test, test)
  --aws            AWS itself, with the SDK's usual credentials: makes and removes buckets, queues, tables and secrets,
                   and KMS keys, which cost money until their seven days of deletion are over
  --region NAME    default us-east-1
  --server NAME    whose differences are explained in test/conformance/differences.yml; default: nobody's
  --service NAME   only this one, may be repeated: ${SERVICES.join(', ')}
  --only ID        only what begins like this, may be repeated
  --json FILE      the outcomes
  --report FILE    the page docs/conformance.md, only when every difference is explained`;

const parse = (args: string[]) =>
  parseArgs({
    args,
    options: {
      endpoint: { type: 'string' },
      aws: { type: 'boolean' },
      region: { type: 'string' },
      server: { type: 'string' },
      service: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      json: { type: 'string' },
      report: { type: 'string' },
    },
  }).values;

process.exitCode = await main(process.argv.slice(2));

/** @returns 0: as expected or explained, 1: not, 2: not asked rightly */
async function main(args: string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const options = read(args);
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const { services, target, server } = options;
  const known = server === undefined ? null : knownDifferences(server);
  if (server !== undefined && known === null) {
    console.error(`differences.yml knows no server ${server}`);
    return 2;
  }
  const ran = (id: string) => services.some((name) => id.startsWith(`${name}.`)) && wanted(options.only, id);
  const stage = openStage(target);
  const outcomes = await runExpectations(
    expectationsOf(services).filter(({ id }) => ran(id)),
    stage,
  );
  await stage.close().catch((error: AggregateError) => {
    console.error(`${error.message}, the first: ${summary(error.errors[0])}`);
  });

  const verdict = judge(outcomes, known?.reasons ?? new Map(), ran);
  const table = differencesTable(verdict);
  if (table !== '') console.log(table);
  console.log(counts(verdict, outcomes.length));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(outcomes.map(plain), null, 2)}\n`);
  const failed = verdict.unexplained.length + verdict.vanished.length + verdict.unknown.length > 0;
  if (options.report !== undefined && known !== null) {
    if (failed) console.error(`${options.report} is not written: explain first what is new.`);
    else writeFileSync(options.report, reportPage({ known, outcomes, verdict }));
  }
  return failed ? 1 : 0;
}

interface Options {
  target: Target;
  services: ServiceName[];
  only: string[];
  server?: string;
  json?: string;
  report?: string;
}

/** @returns text: what to tell whoever asked */
function read(args: string[]): Options | string {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return `${summary(error)}\n\n${HELP}`;
  }
  const { endpoint, aws = false, region = 'us-east-1', server, service = [], only = [], json, report } = values;
  if ((endpoint === undefined) !== aws) return `Either --endpoint or --aws.\n\n${HELP}`;
  const services = SERVICES.filter((name) => service.length === 0 || service.includes(name));
  const unknown = service.filter((name) => !SERVICES.some((known) => known === name));
  if (unknown.length > 0) return `Not a service: ${unknown.join(', ')}\n\n${HELP}`;
  if (report !== undefined && (server === undefined || service.length + only.length > 0))
    return '--report needs --server, and every service.';
  return {
    target: endpoint === undefined ? { region } : { endpoint, region, credentials: credentials() },
    services,
    only,
    ...(server !== undefined && { server }),
    ...(json !== undefined && { json }),
    ...(report !== undefined && { report }),
  };
}

/** What emulators take that check nothing. */
function credentials() {
  const { AWS_ACCESS_KEY_ID: accessKeyId = 'test', AWS_SECRET_ACCESS_KEY: secretAccessKey = 'test', AWS_SESSION_TOKEN } = process.env;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN !== undefined && { sessionToken: AWS_SESSION_TOKEN }) };
}

function wanted(starts: string[], id: string): boolean {
  return starts.length === 0 || starts.some((start) => id.startsWith(start));
}

function plain({ expectation: { id, title, page }, difference }: Outcome) {
  return { id, title, page, difference };
}

function counts({ shared, explained, unexplained, vanished, unknown }: Verdict, all: number): string {
  const more = [
    [explained.length, 'explained'],
    [unexplained.length, 'unexplained'],
    [vanished.length, 'vanished'],
    [unknown.length, 'unknown'],
  ] as const;
  return [`${all} expectations, ${shared} shared`, ...more.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []))].join(', ');
}
