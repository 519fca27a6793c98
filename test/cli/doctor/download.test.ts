import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadProblems } from '../../../cli/doctor/probes/download.ts';

describe('the way back through the API', () => {
  const bytes = Buffer.from('sealdrop');
  let server: Server;
  let answer: { status: number; body: Buffer | string } = { status: 200, body: bytes };
  let asked: { url: string | undefined; authorization: string | undefined };
  beforeEach(async () => {
    server = createServer((request, response) => {
      asked = { url: request.url, authorization: request.headers.authorization };
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod/`;

  test('asks for the key as the holder of the token', async () => {
    answer = { status: 200, body: bytes };
    expect(await downloadProblems({ url: url(), token: 'jwt' }, 'a b/ü', bytes)).toEqual([]);
    expect(asked).toEqual({ url: `/prod/object?key=${encodeURIComponent('a b/ü')}`, authorization: 'Bearer jwt' });
  });

  test.each([
    [200, 'sealdrop!', 'round-trip.other-bytes'],
    [401, '{"code":"unauthenticated"}', 'round-trip.token-refused'],
    [403, '{"code":"forbidden"}', 'round-trip.token-without-right'],
    [503, '{"code":"kms-key-disabled"}', 'round-trip.download-failed'],
    [502, 'no JSON', 'round-trip.download-failed'],
  ])('finds an answer of %i with %s, and never shows the token', async (status, body, id) => {
    answer = { status, body };
    const findings = await downloadProblems({ url: url(), token: 'secret-jwt' }, 'k', bytes);
    expect(findings).toMatchObject([{ id }]);
    expect(JSON.stringify(findings)).not.toContain('secret-jwt');
  });

  test('finds an API that does not answer', async () => {
    const gone = url();
    await new Promise((resolve) => server.close(resolve));
    expect(await downloadProblems({ url: gone, token: 'jwt' }, 'k', bytes)).toMatchObject([{ id: 'round-trip.api-unreachable' }]);
  });
});
