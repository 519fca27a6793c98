import { describe, expect, it } from 'vitest';
import { createHandler } from '../../handlers/authorize.ts';
import { createAuthenticate } from '../../src/authenticate.ts';
import { parseApiRequest } from '../../src/http/request.ts';
import { apiEvent } from '../fixtures/api.ts';
import { keptLog } from '../fixtures/aws.ts';
import { event } from '../fixtures/events.ts';
import { AUDIENCE, createIssuer, ISSUER } from '../fixtures/issuer.ts';

async function world() {
  const issuer = await createIssuer();
  const log = keptLog();
  const authenticate = createAuthenticate({ issuer: ISSUER, audience: AUDIENCE, fetch: issuer.fetch });
  const authorize = createHandler(() => ({ authenticate, log }));
  const ask = (authorization: string, header = 'Authorization') =>
    authorize({ ...Object(event('authorize')), headers: { [header]: authorization } });
  return { issuer, log, authorize, ask };
}

describe('the authorize function', () => {
  it('allows the whole stage, since the gateway caches the answer for every path', async () => {
    const { issuer, ask } = await world();
    expect(await ask(`Bearer ${await issuer.token()}`)).toMatchObject({
      principalId: 'user-17',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/dev/*' },
        ],
      },
    });
  });

  it('hands all claims on, as the functions read them', async () => {
    const { issuer, ask } = await world();
    const { context } = await ask(`Bearer ${await issuer.token({ claims: { groups: ['a', 'b'], name: 'Zoë "Z"' } })}`);
    const request = { ...apiEvent({ claims: null }), requestContext: { extendedRequestId: 'r', authorizer: context } };
    expect(parseApiRequest(request, []).caller).toMatchObject({ subject: 'user-17', claims: { groups: ['a', 'b'], name: 'Zoë "Z"' } });
  });

  it.each(['authorization', 'AUTHORIZATION'])('finds the header %s', async (name) => {
    const { issuer, ask } = await world();
    await expect(ask(`Bearer ${await issuer.token()}`, name)).resolves.toMatchObject({ principalId: 'user-17' });
  });

  it.each(['Bearer a.b.c', 'Basic x', ''])('answers "%s" with the one word that the gateway makes a 401 of', async (header) => {
    const { ask, log } = await world();
    await expect(ask(header)).rejects.toThrow(/^Unauthorized$/);
    expect(log.entries).toEqual([]);
  });

  it('answers a request without a token with 401', async () => {
    const { authorize } = await world();
    await expect(authorize(event('broken/authorize-without-token'))).rejects.toThrow(/^Unauthorized$/);
  });

  it('does not call a caller unauthorized because the issuer is down, and logs that', async () => {
    const { issuer, ask, log } = await world();
    const token = await issuer.token();
    issuer.documents[issuer.jwksUri] = () => new Response('', { status: 500 });
    const error = await ask(`Bearer ${token}`).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'service-unavailable', message: expect.not.stringContaining('Unauthorized') });
    expect(log.entries).toEqual([
      {
        level: 'error',
        message: 'callers cannot be authenticated',
        fields: expect.objectContaining({ code: 'service-unavailable', correlationId: 'Zk2QeExampleIAMFqWQ=' }),
      },
    ]);
    expect(JSON.stringify(log.entries)).not.toContain(token);
  });
});
