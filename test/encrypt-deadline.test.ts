/** What ends with a function's time. A server that never answers, over real HTTP: what an abort does cannot be seen with a mocked client. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectTaggingCommand, S3Client, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHandler } from '../handlers/encrypt.ts';
import { auditEvents, encryptWorld, objectRecords, PARTS_ABOVE_BYTES } from './fixtures/encrypt-world.ts';
import { keepUploads } from './fixtures/honest-upload.ts';
import { notification, queued } from './fixtures/messages.ts';

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

function connected() {
  const { port } = server.address() as AddressInfo;
  return new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  });
}

it('one copy that never answers is given up by name, and the others of its batch count', async () => {
  const world = encryptWorld();
  const s3 = connected();
  const time = new AbortController();
  // Time ends once the others have their answers.
  let answered = 0;
  s3.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      answered += 1;
      if (answered === 2) time.abort();
      return answer;
    },
    { step: 'initialize' },
  );
  const bodies = ['plain/a', 'plain/hangs', 'plain/b'].map((key, index) => notification({ key, sequencer: `0${index}` }));
  const handler = createHandler(() => ({ ...world.deps, s3, signal: time.signal }));
  expect(await handler(queued(bodies))).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
  expect(objectRecords(world).map(({ key }) => key)).toEqual(['plain/a', 'plain/b']);
  expect(auditEvents(world).map(({ key }) => key)).toEqual(['plain/a', 'plain/b']);
  expect(world.log.entries).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ key: 'plain/hangs', code: 'time-out' }) }),
  );
  s3.destroy();
});

it('calls are given up while twenty seconds are left for what must be written', async () => {
  const world = encryptWorld();
  const s3 = connected();
  const handler = createHandler(() => ({ ...world.deps, s3 }));
  const message = queued([notification({ key: 'plain/hangs' })]);
  const answer = await handler(message, { getRemainingTimeInMillis: () => 20_000 });
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
  expect(world.log.entries).toContainEqual(expect.objectContaining({ fields: expect.objectContaining({ code: 'time-out' }) }));
  s3.destroy();
});

it.each([
  [60_000, 'time-out', 0],
  [600_000, undefined, 5],
])('a large object is begun only while more than a minute is left: with %d ms %s', async (left, code, parts) => {
  const world = encryptWorld();
  keepUploads(world.s3, PARTS_ABOVE_BYTES + 1);
  world.s3.on(GetObjectTaggingCommand).callsFake(async () => {
    // Timers of one length fire in their order, so that one of no length that was set before is over.
    await once(AbortSignal.timeout(0), 'abort');
    return {};
  });
  const message = queued([notification({ key: 'plain/large', size: PARTS_ABOVE_BYTES + 1 })]);
  await createHandler(() => world.deps)(message, { getRemainingTimeInMillis: () => left });
  expect(world.log.entries.map(({ fields }) => fields.code)).toEqual([code]);
  expect(world.s3.commandCalls(UploadPartCopyCommand)).toHaveLength(parts);
});
