#!/usr/bin/env node
/** Starts the CLI on the Node.js that the project brings, whatever runs this file: the sources need its type stripping. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const cli = spawn(
  at('../node_modules/.bin/node'),
  ['--disable-warning=ExperimentalWarning', at('../cli/sealdrop.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => cli.kill(signal));
cli.on('error', (error) => {
  console.error(`sealdrop cannot start its Node.js (${error.message}). Run npm ci in the project's folder.`);
  process.exitCode = 2;
});
// What a shell expects of a command that a signal ended: 128 and the signal's number.
cli.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 2) : 128 + constants.signals[signal];
});
