/** A folder of its own with functions in it, made from source texts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { zipSync } from 'fflate';
import { type Access, openAccess } from '../../../sandbox/iam/access.ts';
import { type FunctionConfiguration, type Functions, type LambdaOptions, openFunctions } from '../../../sandbox/lambda/index.ts';
import { openState, type State } from '../../../sandbox/state.ts';
import { type Credentials, openCredentials } from '../../../sandbox/wire/credentials.ts';

/** Zip files hold times in steps of two seconds: the same source made later must still be the same file. */
const ZIP_TIME = new Date(2000, 0, 1);

export interface Workbench {
  dir: string;
  state: State;
  credentials: Credentials;
  access: Access;
  functions: Functions;
  /** What functions printed so far, by function. */
  printed: Map<string, string>;
  /** Bundles `source` as an ES module and deploys it as `name`, with a role that may log and fetch from queues. */
  deploy(name: string, source: string, settings?: Partial<FunctionConfiguration>): Promise<void>;
  close(): Promise<void>;
}

export function openWorkbench(options: Partial<LambdaOptions> = {}): Workbench {
  const dir = mkdtempSync(join(tmpdir(), 'sealdrop-lambda-'));
  const state = openState(join(dir, 'data'));
  const credentials = openCredentials(state);
  const access = openAccess(state);
  const printed = new Map<string, string>();
  const log = (name: string, text: string) => void printed.set(name, (printed.get(name) ?? '') + text);
  const functions = openFunctions({ state, credentials, endpoint: () => 'http://127.0.0.1:1', log, ...options });
  return {
    dir,
    state,
    credentials,
    access,
    functions,
    printed,
    async deploy(name, source, settings = {}) {
      const zipPath = await bundleFunction(dir, name, source);
      const { roleArn } = { ...configuration(name), ...settings };
      if (access.findRole(roleArn) === null) putRole(access, roleArn.slice(roleArn.indexOf('/') + 1));
      functions.put({ ...configuration(name), zipPath, ...settings });
    },
    async close() {
      await functions.stop();
      state.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A role for functions. */
export function putRole(access: Access, name: string, actions: string[] = ['logs:*', 'sqs:*'], trusted = 'lambda.amazonaws.com'): void {
  const trust = { Effect: 'Allow', Principal: { Service: trusted }, Action: 'sts:AssumeRole' };
  const rights = { Effect: 'Allow', Action: actions, Resource: '*' };
  access.putRole(name, { Version: '2012-10-17', Statement: [trust] }, { rights: { Version: '2012-10-17', Statement: [rights] } });
}

/** The zip file of a function whose handler is `handlers/<name>.handler`. */
export async function bundleFunction(dir: string, name: string, source: string): Promise<string> {
  const built = await build({
    stdin: { contents: source, loader: 'ts', resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    // CommonJS dependencies of the SDK call require(), which ES modules do not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const zipPath = join(dir, `${name}.zip`);
  writeFileSync(zipPath, zipSync({ [`handlers/${name}.mjs`]: built.outputFiles[0]?.contents ?? new Uint8Array() }, { mtime: ZIP_TIME }));
  return zipPath;
}

function configuration(name: string): Omit<FunctionConfiguration, 'zipPath'> {
  return {
    name,
    description: '',
    handler: `handlers/${name}.handler`,
    runtime: 'nodejs24.x',
    architectures: ['arm64'],
    roleArn: `arn:aws:iam::000000000000:role/${name}-role`,
    memorySize: 256,
    timeoutSeconds: 10,
    variables: {},
  };
}
