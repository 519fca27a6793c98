/** The sandbox takes every template as it ships, and takes it again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSandbox } from '../../sandbox/index.ts';
import { DEPLOYMENTS, packageDeployment } from './template-deployments.ts';

test.each(Object.entries(DEPLOYMENTS))(
  '%s is deployed, and deployed again on what it left',
  async (name, { stage, params }) => {
    const artifacts = await packageDeployment(name);
    const dataDir = mkdtempSync(join(tmpdir(), 'sealdrop-deploys-'));
    const outputs = async () => {
      const sandbox = await startSandbox({ dataDir, port: 0, apiPort: 0, artifacts, stackName: `sealdrop-${stage}` });
      await sandbox.stop();
      // Addresses have the port of their start.
      return Object.fromEntries(Object.entries(sandbox.outputs).map(([output, value]) => [output, value.replace(/:\d+\//, ':PORT/')]));
    };
    try {
      const first = await outputs();
      expect(first.AuditTableName).toBe(params.auditTable ?? `sealdrop-${stage}-audit-000000000000-us-east-1`);
      expect(await outputs()).toEqual(first);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  60_000,
);
