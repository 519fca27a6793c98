/** A server on a free port over a folder that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '../../../sandbox/service.ts';
import { openState, type State } from '../../../sandbox/state.ts';
import { type Credentials, openCredentials } from '../../../sandbox/wire/credentials.ts';
import { createAwsServer } from '../../../sandbox/wire/server.ts';

export interface SandboxServer extends AsyncDisposable {
  url: string;
  state: State;
  credentials: Credentials;
  /** Prefix → service; a test may change it. */
  local: Record<string, Service>;
  /** Exceptions that no service should throw. */
  defects: unknown[];
  /** What every SDK client takes. */
  client: { endpoint: string; region: string; maxAttempts: number; credentials: { accessKeyId: string; secretAccessKey: string } };
  close(): Promise<void>;
}

export interface SandboxParts {
  services: Record<string, Service>;
  local?: Record<string, Service>;
  close?: () => Promise<void>;
}

export async function startSandbox(open: (state: State) => SandboxParts): Promise<SandboxServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sandbox-'));
  const state = openState(dir);
  const credentials = openCredentials(state);
  const parts = open(state);
  const defects: unknown[] = [];
  const { services, local = {} } = parts;
  const server = createAwsServer({ services, credentials, local, onDefect: (error) => defects.push(error) });
  const { url } = await server.listen(0);
  const { accessKeyId, secretAccessKey } = credentials.administrator();
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= shutDown();
    return closing;
  };
  async function shutDown() {
    await server.close();
    await parts.close?.();
    state.close();
    rmSync(dir, { recursive: true, force: true });
  }
  const client = { endpoint: url, region: 'us-east-1', maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } };
  return { url, state, credentials, local, defects, client, close, [Symbol.asyncDispose]: close };
}
