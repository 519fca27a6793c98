/** `npm run chaos`: real files under all faults at once, and then: where is each of them? */
import { parseArgs } from 'node:util';
import { startProgress } from '../../cli/terminal.ts';
import { passed, toJson, toText } from './report.ts';
import { runChaos } from './run.ts';

const HELP = `npm run chaos -- [options]

  --objects N   keys to drop; most have one state, some up to five (default 300)
  --seed N      decides the files, their order and the faults (default: another one each time)
  --calm        without faults
  --keep        leaves the sandbox's data behind
  --json        the report as JSON`;

const DEFAULT_OBJECTS = 300;
const SILENT = { update: () => {}, finish: () => {} };

/** What a shell expects of a command that a signal ended: 128 and the signal's number. By exiting, the sandbox's data goes too. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };
for (const [signal, code] of Object.entries(INTERRUPTED)) process.once(signal, () => process.exit(code));

process.exitCode = await main(process.argv.slice(2));

/** @returns 0: all checks hold, 1: one does not, 2: not asked rightly */
async function main(args: string[]): Promise<number> {
  const options = read(args);
  if (typeof options === 'string') {
    console.error(options);
    return args.includes('--help') ? 0 : 2;
  }
  const { objects, seed, json, keep, calm } = options;
  const run = await runChaos({ objects, seed, keep, calm, progress: json ? () => SILENT : startProgress });
  console.log(json ? toJson(run) : `\n${toText(run)}`);
  return passed(run) ? 0 : 1;
}

interface Options {
  objects: number;
  seed: number;
  json: boolean;
  keep: boolean;
  calm: boolean;
}

/** @returns text: what to tell whoever asked */
function read(args: string[]): Options | string {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args,
      options: { objects: { type: 'string' }, seed: { type: 'string' }, help: flag, json: flag, keep: flag, calm: flag },
    });
    if (values.help) return HELP;
    const objects = Number(values.objects ?? DEFAULT_OBJECTS);
    const seed = Number(values.seed ?? Math.trunc(Math.random() * 1_000_000));
    if (!Number.isSafeInteger(objects) || objects < 1 || !Number.isSafeInteger(seed))
      return `--objects and --seed are whole numbers.\n\n${HELP}`;
    const { json, keep, calm } = values;
    return { objects, seed, json, keep, calm };
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${HELP}`;
  }
}
