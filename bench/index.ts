/** `npm run bench [-- --only NAME,NAME …]`: every figure of the README, as a table and as JSON. */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { type StackClients, stackClients } from '../local/clients.ts';
import { LOCAL_PARAMS, packageStack } from '../sandbox/build.ts';
import { benchBundles } from './bundles.ts';
import { benchCalls } from './calls.ts';
import { type CopyWorld, openCopyWorld } from './copy-world.ts';
import { benchDownload } from './download.ts';
import { benchEncrypt } from './encrypt.ts';
import { benchEnforcement } from './enforcement.ts';
import { benchEnvelope, benchSealedCopies } from './envelope.ts';
import { type LocalServer, startLocalServer } from './local-server.ts';
import { type Figure, showFigures } from './measure.ts';
import { benchMemory } from './memory.ts';
import { benchOverhead } from './overhead.ts';
import { benchParts } from './parts.ts';
import { benchPartsMemory } from './parts-memory.ts';
import { benchPipeline } from './pipeline.ts';

const POLICY = 'cli/demo/policy.yml';
const PACKAGE = { projectDir: process.cwd(), stage: 'dev', cacheDir: join(process.cwd(), '.build') };
const SOURCE_BUCKET = 'bench-source';

type Bench = () => Figure[] | Promise<Figure[]>;
type ServerBench = (clients: StackClients, server: LocalServer) => Promise<Figure[]>;

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '2000' },
    requests: { type: 'string', default: '2000' },
    'pipeline-objects': { type: 'string', default: '10000' },
    large: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const packaged = (policyPath: string) => packageStack({ ...PACKAGE, policyPath, params: LOCAL_PARAMS });

async function inCopyWorld(bench: (world: CopyWorld) => Promise<Figure[]>, policy = POLICY): Promise<Figure[]> {
  const world = await openCopyWorld(await packaged(POLICY), policy);
  try {
    return await bench(world);
  } finally {
    await world.stop();
  }
}

/** Of one process. */
const ALONE: Record<string, Bench> = {
  // First: what others leave in memory would hide what it takes.
  'parts-memory': () => benchPartsMemory(POLICY),
  envelope: () => benchEnvelope(),
  overhead: () => benchOverhead(100, POLICY),
  bundles: async () => benchBundles((await packaged(POLICY)).packageDir),
  enforcement: async () => benchEnforcement(await packaged('policy.yml')),
  calls: () => inCopyWorld(benchCalls),
  'sealed-copies': () => inCopyWorld(benchSealedCopies, 'bench/envelope-policy.yml'),
  parts: () => inCopyWorld((world) => benchParts(world, values.large)),
};

/** Against one server; each finds what those before it left. */
const SERVED: Record<string, ServerBench> = {
  encrypt: async (clients) => {
    await clients.s3.send(new CreateBucketCommand({ Bucket: SOURCE_BUCKET }));
    return benchEncrypt(clients, SOURCE_BUCKET, Number(values.objects), POLICY);
  },
  pipeline: (clients, server) => benchPipeline(clients, server, Number(values['pipeline-objects'])),
  memory: (clients) => benchMemory(clients, POLICY),
  download: (clients, server) => benchDownload(clients, server, Number(values.requests)),
};

const NAMES = [...Object.keys(ALONE), ...Object.keys(SERVED)];
const wanted = values.only?.split(',') ?? NAMES;
const unknown = wanted.find((name) => !NAMES.includes(name));
if (unknown !== undefined) throw new Error(`--only ${unknown}: the scenarios are ${NAMES.join(', ')}`);

const figures: Figure[] = [];
for (const [name, bench] of Object.entries(ALONE)) if (wanted.includes(name)) figures.push(...(await bench()));
const served = Object.entries(SERVED).filter(([name]) => wanted.includes(name));
if (served.length > 0) {
  const server = await startLocalServer(POLICY);
  try {
    const clients = stackClients(server.environment);
    for (const [, bench] of served) figures.push(...(await bench(clients, server)));
  } finally {
    await server.stop();
  }
}
showFigures(figures);
