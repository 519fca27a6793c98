/** The stack in a process of its own, as `npm start` runs it, so that its work and the measuring client's are apart. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Of `/proc/PID/stat`; Linux counts a hundred a second wherever Node runs. */
const TICK_MS = 10;

export interface LocalServer {
  environment: Record<string, string>;
  /** Resident memory of the server's process in MiB: the services, and the functions in their workers. */
  residentMiB(): number;
  /** Milliseconds of CPU that the server's process has taken, in all its threads: less moved by others on the machine than time is. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** @param below where its data lies while it runs */
export async function startLocalServer(policyPath: string, below = tmpdir()): Promise<LocalServer> {
  const data = mkdtempSync(join(below, 'sealdrop-bench-'));
  const args = [
    '--disable-warning=ExperimentalWarning',
    'cli/start.ts',
    '--port',
    '0',
    '--api-port',
    '0',
    '--data',
    data,
    '--policy',
    policyPath,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await ready(child);
  return {
    environment: parseEnvironment(readFileSync(join(data, 'env'), 'utf8')),
    residentMiB() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
    },
    cpuMs() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      // The name, in brackets, may hold spaces; of what follows the 12th and 13th are time in user and system mode.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('ready')) {
      child.stdout.resume();
      return;
    }
  }
  throw new Error('the server ended before it was ready');
}

function parseEnvironment(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]));
}
