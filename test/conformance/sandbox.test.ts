/** The sandbox shares every expectation; what it would not share is a defect of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { CATALOGUE, SERVICES } from './catalogue.ts';
import { openStage, type Stage } from './stage.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-conformance-'));
let sandbox: Sandbox;
let stage: Stage;

beforeAll(async () => {
  // The services alone: no stack, so that nothing of the product is in the way.
  const templatePath = join(dataDir, 'no-stack.json');
  writeFileSync(templatePath, JSON.stringify({ Resources: {} }));
  sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts: { templatePath, packageDir: dataDir } });
  stage = openStage({ endpoint: sandbox.endpoint, region: sandbox.region, credentials: sandbox.credentials });
});
afterAll(async () => {
  await stage.close();
  await sandbox.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe.each(SERVICES)('%s', (service) => {
  test.each(CATALOGUE[service].map(({ id, title, run }) => ({ id, title, run })))('$id: $title', ({ run }) => run(stage));
});
