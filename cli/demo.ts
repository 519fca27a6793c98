/** `npm run demo [-- PATH…]`: files in, encrypted copies, every one fetched through the API and compared. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stackClients } from '../local/clients.ts';
import { drained } from '../local/queues.ts';
import type { Sandbox } from '../sandbox/index.ts';
import { loadPolicy } from '../src/policy/load.ts';
import { deadLetterCauses, dropFiles } from './demo/drop.ts';
import { fetchAndCompare } from './demo/fetch.ts';
import { findFiles } from './demo/find-files.ts';
import { inspectTarget } from './demo/inspect.ts';
import { summary } from './demo/summary.ts';
import { startLocalStack } from './local-stack.ts';
import { formatBytes, formatSeconds, startProgress } from './terminal.ts';

const POLICY = 'cli/demo/policy.yml';
const SAMPLES = 'samples';

/** Without any progress for so long, something hangs. */
const PATIENCE_MS = 60_000;

/** What a shell expects of a command that a signal ended: 128 and the signal's number. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };

/** Where files of the default rule go. */
const DEFAULT_PREFIX = 'files/';

try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function demo(): Promise<boolean> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const policy = loadPolicy(readFileSync(POLICY, 'utf8'), POLICY);
  const prefixes = [...policy.rules.flatMap((rule) => rule.match.prefix ?? []), DEFAULT_PREFIX];
  const { files: found, unreadable } = findFiles(positionals.length > 0 ? positionals : [SAMPLES], prefixes);
  const bytes = found.reduce((sum, file) => sum + file.size, 0);
  console.log(`Sealdrop demo: ${found.length} files, ${formatBytes(bytes)}, spread over ${prefixes.join(' ')}\n`);

  const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-demo-'));
  const forget = () => rmSync(dataDir, { recursive: true, force: true });
  // However it ends: the folder holds keys beside what they protect.
  process.once('exit', forget);
  for (const [signal, code] of Object.entries(INTERRUPTED)) {
    process.once(signal, () => process.exit(code));
  }
  const started = performance.now();
  let sandbox: Sandbox | null = null;
  try {
    sandbox = await startLocalStack({ policyPath: POLICY, dataDir, port: 0, apiPort: 0 });
    console.log(
      `The stack runs at ${sandbox.endpoint}, its API at ${sandbox.apiUrl} (started in ${formatSeconds(performance.now() - started)})\n`,
    );
    const clients = stackClients(sandbox.environment());

    const dropping = phase('drop', found.length);
    const failures = await dropFiles(found, clients, dropping.update);
    dropping.finish('into the ingest bucket');
    const files = found.filter((file) => !failures.has(file));
    const notDropped = [
      ...unreadable.map(({ path, reason }) => `${path}: not read: ${reason}`),
      ...[...failures].map(([{ path }, reason]) => `${path}: not dropped: ${reason}`),
    ];

    const encrypting = phase('encrypt', files.length);
    await drained(clients, (left) => encrypting.update(files.length - left), PATIENCE_MS);
    encrypting.finish('into the target bucket');

    const fetching = phase('fetch', files.length);
    const fetched = await fetchAndCompare(files, clients, fetching.update);
    fetching.finish('through the API, compared byte for byte');

    const inspecting = phase('inspect', files.length);
    const stored = await inspectTarget(files, policy, clients, inspecting.update);
    inspecting.finish('as S3 describes them');

    const { text, ok } = summary({
      files,
      notDropped,
      fetched,
      stored,
      prefixes,
      deadLetters: await deadLetterCauses(clients),
      targetBucket: clients.targetBucket,
    });
    console.log(`\n${text}`);
    return ok;
  } finally {
    await sandbox?.stop();
  }
}

/** A progress bar that also says how long its phase took. */
function phase(label: string, total: number) {
  const begun = performance.now();
  const progress = startProgress(label, total);
  return { update: progress.update, finish: (note: string) => progress.finish(`${note}, ${formatSeconds(performance.now() - begun)}`) };
}
