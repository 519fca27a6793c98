import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { handler } from '../../handlers/health.ts';
import { OBJECT_QUERY } from '../../src/http/object-request.ts';
import { OPENAPI } from '../../src/http/openapi.ts';
import { policySchema } from '../../src/policy/schema.ts';
import { downloadRoutes, shareRoutes } from '../../stack/routes.ts';
import { checkDescribed } from '../e2e/described.ts';

const PROJECT = join(import.meta.dirname, '../..');

interface Http {
  http?: { method: string; path: string };
}

describe('the description of the API', () => {
  it('has the routes that are deployed, and no others', () => {
    const source = readFileSync(join(PROJECT, 'serverless.yml'), 'utf8');
    const { functions } = parse(source, { logLevel: 'silent' }) as { functions: object };
    const inFile = Object.values(functions).flatMap((definition: { events?: Http[] | string } | string) =>
      typeof definition === 'string' || !Array.isArray(definition.events) ? [] : definition.events,
    );
    const sharing = policySchema.parse({
      version: 1,
      default: { encryption: { mode: 'sse-s3' } },
      access: [{ who: { claim: 'groups', has: 'a' }, may: ['share'], under: [''] }],
    });
    const deployed = [...inFile, ...downloadRoutes({ policy: sharing }), ...shareRoutes()].flatMap(({ http }: Http) =>
      http === undefined ? [] : [`${http.method} ${http.path.replace('{key+}', '{key}')}`],
    );
    const described = Object.entries(OPENAPI.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(described.sort()).toEqual(deployed.sort());
  });

  it('has the query parameters that are understood', () => {
    const told = (path: '/object' | '/objects/{key}') =>
      (OPENAPI.paths[path].get as { parameters: { name: string }[] }).parameters.map(({ name }) => name);
    for (const name of OBJECT_QUERY) expect(told('/object')).toContain(name);
    expect(told('/objects/{key}')).toContain('key');
  });

  it('is served beside the health of the API', async () => {
    const answer = await handler({ resource: '/openapi.json' });
    expect(JSON.parse(answer.body)).toEqual(JSON.parse(JSON.stringify(OPENAPI)));
    expect(JSON.parse((await handler({ resource: '/health' })).body)).toEqual({ status: 'ok' });
    expect(JSON.parse((await handler(null)).body)).toEqual({ status: 'ok' });
  });

  it.each([
    ['a status', 'GET', '/health', new Response('{"status":"ok"}', { status: 201, headers: { 'content-type': 'application/json' } })],
    ['a body', 'GET', '/health', Response.json({ status: 'ill' })],
    ['a header', 'GET', '/health', Response.json({ status: 'ok' }, { headers: { 'x-more': '1' } })],
    ['a content type', 'GET', '/health', new Response('{"status":"ok"}', { headers: { 'content-type': 'text/plain' } })],
    ['a parameter', 'GET', '/health?more=1', Response.json({ status: 'ok' })],
    ['a route', 'GET', '/more', Response.json({ status: 'ok' })],
  ])('shows %s that it does not have', async (_what, method, path, answer) => {
    await expect(checkDescribed(method, path, answer)).rejects.toThrow(/not described/);
  });

  it('takes what it has', async () => {
    await checkDescribed('GET', '/health', Response.json({ status: 'ok' }));
  });
});
