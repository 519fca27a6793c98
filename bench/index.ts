/** `npm run bench [-- --objects N --requests N]`: every figure of the README, as a table and as JSON. */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { stackClients } from '../local/clients.ts';
import { packageStack } from '../sandbox/build.ts';
import { benchBundles } from './bundles.ts';
import { benchDownload } from './download.ts';
import { benchEncrypt } from './encrypt.ts';
import { benchEnforcement } from './enforcement.ts';
import { startLocalServer } from './local-server.ts';
import type { Figure } from './measure.ts';
import { benchMemory } from './memory.ts';
import { benchOverhead } from './overhead.ts';
import { benchPipeline } from './pipeline.ts';

const POLICY = 'cli/demo/policy.yml';
const PACKAGE = { projectDir: process.cwd(), stage: 'dev', cacheDir: join(process.cwd(), '.build') };
const SOURCE_BUCKET = 'bench-source';

const { values } = parseArgs({ options: { objects: { type: 'string', default: '2000' }, requests: { type: 'string', default: '2000' } } });
const objects = Number(values.objects);
const figures: Figure[] = [];

figures.push(...(await benchOverhead(100, POLICY)));
const artifacts = await packageStack({ ...PACKAGE, policyPath: POLICY });
figures.push(...benchBundles(artifacts.packageDir));
figures.push(...(await benchEnforcement(await packageStack({ ...PACKAGE, policyPath: 'policy.yml' }))));

const server = await startLocalServer(POLICY);
try {
  const clients = stackClients(server.environment);
  await clients.s3.send(new CreateBucketCommand({ Bucket: SOURCE_BUCKET }));
  figures.push(...(await benchEncrypt(clients, SOURCE_BUCKET, objects, POLICY)));
  figures.push(...(await benchPipeline(clients, objects)));
  figures.push(...(await benchMemory(clients)));
  figures.push(...(await benchDownload(clients, server, Number(values.requests))));
} finally {
  await server.stop();
}

console.table(
  figures.map(({ scenario, what, value, unit, against }) => ({
    scenario,
    what,
    value: `${round(value)} ${unit}`,
    ratio: against === undefined ? '' : `${against.ratio.toFixed(2)} ×`,
    against: against === undefined ? '' : `${round(against.value)} ${unit} (${against.what})`,
  })),
);
console.log(JSON.stringify({ node: process.version, figures }, null, 2));

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
