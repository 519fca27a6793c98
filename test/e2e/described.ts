/** Holds an answer of the API against its own description. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { OPENAPI } from '../../src/http/openapi.ts';

interface Response {
  content?: Record<string, { schema?: object }>;
  headers?: Record<string, unknown>;
}
interface Operation {
  parameters?: { name: string; in: string }[];
  responses: Record<string, Response>;
}

/** Of the gateway and of the connection, whatever the answer. */
const ANY_ANSWER = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'x-amzn-errortype',
  'x-amz-apigw-id',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'x-content-type-options',
]);

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addKeyword('components');
ajv.addSchema({ $id: 'https://sealdrop.example/openapi', components: OPENAPI.components });
const paths = OPENAPI.paths as unknown as Record<string, Record<string, Operation>>;

/**
 * @param path as asked, with its query
 * @throws an error that says what the description does not say
 */
export async function checkDescribed(method: string, path: string, answer: globalThis.Response): Promise<void> {
  const asked = new URL(path, 'http://api');
  const operation = operationOf(method, asked.pathname);
  if (operation === null) {
    // There is no such route, and the gateway says so.
    if (answer.status >= 400) return;
    throw new Error(`${method} ${path} answers ${answer.status} and is not described`);
  }
  const wrong = (what: string) => new Error(`${method} ${path} (${answer.status}): ${what} is not described`);
  const response = operation.responses[answer.status];
  if (response === undefined) throw wrong('the status');
  const known = new Set((operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name));
  for (const name of asked.searchParams.keys()) if (answer.status < 400 && !known.has(name)) throw wrong(`the query parameter ${name}`);
  const told = new Set(Object.keys(response.headers ?? {}).map((name) => name.toLowerCase()));
  for (const name of answer.headers.keys()) {
    if (!told.has(name) && !ANY_ANSWER.has(name) && !name.startsWith('x-amz-meta-')) throw wrong(`the header ${name}`);
  }
  if (method === 'HEAD' || response.content === undefined) return;
  const type = answer.headers.get('content-type') ?? '';
  const content = response.content[type] ?? response.content['*/*'];
  if (content === undefined) throw wrong(`the content type ${type}`);
  if (content.schema === undefined) return;
  const body: unknown = await answer.clone().json();
  const validate = ajv.compile(resolved(content.schema));
  if (!validate(body)) throw wrong(`the body (${ajv.errorsText(validate.errors)})`);
}

function operationOf(method: string, path: string): Operation | null {
  const template = path.replace(/^(\/iam)?\/objects\/.*$/, '$1/objects/{key}').replace(/^(\/iam)?\/links\/.*$/, '$1/links/{link}');
  const described = Object.hasOwn(paths, template) ? paths[template] : undefined;
  return described?.[method.toLowerCase()] ?? null;
}

/** References are within the description. */
function resolved(schema: object): object {
  return '$ref' in schema ? { $ref: `https://sealdrop.example/openapi${String(schema.$ref)}` } : schema;
}
