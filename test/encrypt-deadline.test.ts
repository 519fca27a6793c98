/** A server that never answers, over real HTTP: what an abort does cannot be seen with a mocked client. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHandler } from '../handlers/encrypt.ts';
import { auditEvents, encryptWorld, objectRecords } from './fixtures/encrypt-world.ts';
import { notification, queued } from './fixtures/messages.ts';

/** The handler keeps 20 seconds for itself. */
const LEFT_FOR_COPIES_MS = 300;

let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    if (request.url?.includes('hangs')) return;
    response.writeHead(200, { 'x-amz-server-side-encryption': 'AES256' });
    response.end('<CopyObjectResult><ETag>"0123456789abcdef0123456789abcdef"</ETag></CopyObjectResult>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('one copy that never answers is given up by name, and the others of its batch count', async () => {
  const world = encryptWorld();
  const { port } = server.address() as AddressInfo;
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });
  const bodies = ['plain/a', 'plain/hangs', 'plain/b'].map((key, index) => notification({ key, sequencer: `0${index}` }));
  const handler = createHandler(() => ({ ...world.deps, s3 }));
  const context = { getRemainingTimeInMillis: () => 20_000 + LEFT_FOR_COPIES_MS };
  expect(await handler(queued(bodies), context)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
  expect(objectRecords(world).map(({ key }) => key)).toEqual(['plain/a', 'plain/b']);
  expect(auditEvents(world).map(({ key }) => key)).toEqual(['plain/a', 'plain/b']);
  expect(world.log.entries).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ key: 'plain/hangs', code: 'time-out' }) }),
  );
  s3.destroy();
});
