/** A table that never answers, over real HTTP: what an abort does cannot be seen with a mocked client. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHandler } from '../handlers/audit.ts';
import { createObjectRecords } from '../src/audit/object-record.ts';
import { auditWorld, changed } from './fixtures/audit-world.ts';
import { auditEvents } from './fixtures/encrypt-world.ts';
import { queued } from './fixtures/messages.ts';
import { AUDIT_TABLE } from './fixtures/objects.ts';

/** The handler keeps 15 seconds for itself. */
const LEFT_FOR_LOOK_UPS_MS = 300;

let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (body.includes('hangs')) return;
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end('{"Items":[],"Count":0}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('a record that is never found or denied is given up, and the other events of its batch are recorded', async () => {
  const world = auditWorld();
  const { port } = server.address() as AddressInfo;
  const dynamodb = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const handler = createHandler(() => ({ ...world.deps, records: createObjectRecords(dynamodb, AUDIT_TABLE) }));
  const context = { getRemainingTimeInMillis: () => 15_000 + LEFT_FOR_LOOK_UPS_MS };
  const bodies = ['a', 'hangs', 'b'].map((key) => changed({ key }));
  expect(await handler(queued(bodies), context)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
  expect(auditEvents(world).map(({ key }) => key)).toEqual(['a', 'b']);
  expect(world.log.entries).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ key: 'hangs', code: 'audit-unavailable' }) }),
  );
  dynamodb.destroy();
});
