/** `npm start`: the stack in the sandbox, kept running until it is told to stop. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Sandbox } from '../sandbox/index.ts';
import { startLocalStack } from './local-stack.ts';

const USAGE = `npm start -- [--port 4566] [--api-port 3000] [--data .sandbox] [--policy policy.yml]
             [--stage dev] [--param name=value …]

  --port      port of the AWS services (0: any free one)
  --api-port  port of the REST API (0: any free one)
  --data      folder that keeps everything between restarts
  --policy    what gets which encryption, and who may read it
  --stage     the stage that is packaged, with its defaults from serverless.yml
  --param     a parameter of the stack, as serverless deploy takes it; once for each`;

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '4566' },
      'api-port': { type: 'string', default: '3000' },
      data: { type: 'string', default: '.sandbox' },
      policy: { type: 'string', default: 'policy.yml' },
      stage: { type: 'string', default: 'dev' },
      param: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  // All that is written here is for this user alone: keys, credentials, a token.
  process.umask(0o077);
  const dataDir = values.data;
  const ports = { port: portNumber('--port', values.port), apiPort: portNumber('--api-port', values['api-port']) };
  const params = parameters(values.param);
  const sandbox = await startLocalStack({ policyPath: values.policy, stage: values.stage, params, dataDir, ...ports });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.stop());
  try {
    announce(sandbox, dataDir);
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

function announce(sandbox: Sandbox, dataDir: string): void {
  const envFile = join(dataDir, 'env');
  // Renamed into place: a file that was there may be readable by others, and nobody may source half of it.
  writeFileSync(`${envFile}.new`, shellVariables(sandbox.environment()));
  renameSync(`${envFile}.new`, envFile);
  console.log(`AWS services  ${sandbox.endpoint}
REST API      ${sandbox.apiUrl}
data          ${dataDir}

In another terminal:
  source ${envFile}
  aws s3 cp README.md s3://$SEALDROP_INGEST_BUCKET/cards/readme.md
  curl -H "Authorization: Bearer $SEALDROP_TOKEN" $SEALDROP_API_URL/objects/cards/readme.md
`);
  console.log(`ready: source ${envFile}`);
}

function parameters(given: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const text of given) {
    const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`--param ${text}: it is given as name=value\n\n${USAGE}`);
    if (name === 'policy') throw new Error(`--param ${text}: the policy is given by --policy ${value}`);
    if (name in params) throw new Error(`--param ${name} is given twice`);
    params[name] = value;
  }
  return params;
}

function portNumber(name: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`${name} ${text}: a port is a number from 0 to 65535\n\n${USAGE}`);
  return port;
}

/** Lines for a POSIX shell to source; values are quoted, so that none is ever run. */
function shellVariables(variables: Record<string, string>): string {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  return `${lines.join('\n')}\n`;
}
