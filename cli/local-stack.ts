/** The stack on this machine: packaged as it ships, deployed in the sandbox. */
import { join } from 'node:path';
import { LOCAL_PARAMS, packageStack } from '../sandbox/build.ts';
import { type Sandbox, startSandbox } from '../sandbox/index.ts';

export interface LocalStackOptions {
  policyPath: string;
  /** Default: dev. */
  stage?: string;
  /** As `serverless deploy --param` takes them. */
  params?: Record<string, string>;
  dataDir: string;
  /** 0: any free port. */
  port: number;
  apiPort: number;
}

/** Run by npm scripts, whose working directory is the project's root. */
const PROJECT = process.cwd();

/** @throws an error whose message says what to do: a wrong policy or parameter, a port in use, a data folder in use */
export async function startLocalStack({ stage = 'dev', params = {}, ...options }: LocalStackOptions): Promise<Sandbox> {
  const artifacts = await packageStack({
    projectDir: PROJECT,
    policyPath: options.policyPath,
    stage,
    params: { ...LOCAL_PARAMS, ...params },
    cacheDir: join(PROJECT, '.build'),
  });
  return startSandbox({
    dataDir: options.dataDir,
    port: options.port,
    apiPort: options.apiPort,
    artifacts,
    stackName: `sealdrop-${stage}`,
  });
}
