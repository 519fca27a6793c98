/** Each function's bundle against one of only the SDK clients that it uses: bytes and import time. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { unzipSync } from 'fflate';
import { compared, type Figure, median } from './measure.ts';

const CLIENTS: Record<string, string[]> = {
  encrypt: ['s3', 'dynamodb', 'kms', 'secrets-manager', 'sqs'],
  audit: ['s3', 'dynamodb', 'kms', 'sqs'],
  download: ['s3', 'dynamodb', 'secrets-manager'],
  list: ['s3', 'dynamodb'],
  history: ['dynamodb'],
  authorize: [],
  health: [],
};

const CLASS_NAMES: Record<string, string> = {
  s3: 'S3Client',
  dynamodb: 'DynamoDBClient',
  kms: 'KMSClient',
  'secrets-manager': 'SecretsManagerClient',
  sqs: 'SQSClient',
};

const IMPORTS = 9;

/** @param packageDir where `serverless package` put the zip files */
export function benchBundles(packageDir: string): Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'sealdrop-bundles-'));
  try {
    return Object.entries(CLIENTS).flatMap(([name, clients]) => {
      const bundle = join(folder, `${name}.mjs`);
      writeFileSync(bundle, unzipSync(readFileSync(join(packageDir, `${name}.zip`)))[`handlers/${name}.mjs`] ?? '');
      const bytes = statSync(bundle).size;
      const ms = importMs(bundle);
      const scenario = 'bundles';
      if (clients.length === 0) {
        return [
          { scenario, what: `${name} bundle`, unit: 'bytes', value: bytes },
          { scenario, what: `${name} import`, unit: 'ms', value: ms },
        ];
      }
      const bare = sdkOnly(folder, name, clients);
      const what = `SDK clients alone: ${clients.join(', ')}`;
      return [
        compared(scenario, `${name} bundle`, 'bytes', bytes, { what, value: statSync(bare).size }),
        compared(scenario, `${name} import`, 'ms', ms, { what, value: importMs(bare) }),
      ];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sdkOnly(folder: string, name: string, clients: string[]): string {
  const outfile = join(folder, `${name}-sdk.mjs`);
  const contents = clients.map((client) => `export { ${CLASS_NAMES[client]} } from '@aws-sdk/client-${client}';`).join('\n');
  buildSync({
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return outfile;
}

function importMs(file: string): number {
  const script = `globalThis.awslambda = { streamifyResponse: (handler) => handler };
    const begun = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - begun);`;
  const run = () => Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
  return median(Array.from({ length: IMPORTS }, run));
}
