/** `npx sealdrop COMMAND`: one file a command, one row in the table below. */
import { type Command, type CommandContext, WRONG_USAGE } from './command.ts';

interface Entry {
  summary: string;
  /** Loaded when asked for: a command pays for its own imports only. */
  load(): Promise<Command>;
}

const COMMANDS: Record<string, Entry> = {
  put: {
    summary: 'puts a file into the ingest bucket, and says when and how it is encrypted',
    load: async () => (await import('./put.ts')).put,
  },
  get: {
    summary: 'fetches an object through the API, in parts side by side, and proves it',
    load: async () => (await import('./get.ts')).get,
  },
  encrypt: {
    summary: 'encrypts files, folders and streams by any of the six modes, into S3 or locally, with your own AWS credentials',
    load: async () => (await import('./encrypt.ts')).encrypt,
  },
  decrypt: {
    summary: 'decrypts what encrypt, the pipeline or an AWS Encryption SDK encrypted, and proves it',
    load: async () => (await import('./decrypt.ts')).decrypt,
  },
  doctor: {
    summary: 'looks at a deployed stack, on AWS or in the sandbox, and says what is wrong and what to do',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  failures: {
    summary: 'lists what could not be done, by cause',
    load: async () => (await import('./failures.ts')).failures,
  },
  redrive: {
    summary: 'sends dead letters back, and says what becomes of them',
    load: async () => (await import('./redrive.ts')).redrive,
  },
  token: {
    summary: "gives a token of the sandbox's issuer, so that rights can be tried out",
    load: async () => (await import('./token.ts')).token,
  },
};

// Whoever read what a command says may be gone, which undoes nothing; who writes an object's bytes there is told by the write itself.
for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosed);

process.exitCode = await sealdrop(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
});

/** @returns the exit code */
async function sealdrop([name, ...args]: string[], context: CommandContext): Promise<number> {
  if (name === undefined || name === '--help' || name === 'help') {
    context.out(usage());
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    context.err(`sealdrop has no command ${JSON.stringify(name)}.\n\n${usage()}`);
    return WRONG_USAGE;
  }
  return (await entry.load())(args, context);
}

/** Other failures stay as loud as they are, unless somebody else listens. */
function ignoreClosed(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && this.listenerCount('error') === 1) throw error;
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `npx sealdrop COMMAND [options]\n\n${rows.join('\n')}\n\nnpx sealdrop COMMAND --help says what a command takes.`;
}
