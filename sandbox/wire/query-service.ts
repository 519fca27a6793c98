/** The AWS query protocol: a form one way, XML the other. @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
import { AwsError } from '../aws-error.ts';
import type { Judge, Refusal } from '../iam/judge.ts';
import type { Principal, Service, WireRequest } from '../service.ts';
import { escapeXml, sendError } from './error-response.ts';
import { refuse } from './signature-errors.ts';

/** Content of an element: text, elements by name, or the members of a list. */
export type Content = string | number | boolean | { [name: string]: Content | undefined } | readonly Content[];

export interface QueryOperation {
  /** The IAM action that allows it. */
  action: string;
  /** ARNs that it concerns; none for what everybody may do. Throws AwsError. */
  resources(form: Form): readonly string[];
  /** The content of the `…Result` element. Throws AwsError. */
  run(form: Form, principal: Principal): Record<string, Content | undefined>;
}

/** The members of a request. */
export interface Form {
  /** `null`: not given. */
  text(name: string): string | null;
  /** Throws AwsError when it is not given. */
  required(name: string): string;
  /** Of `name.member.1`, `name.member.2` …; of a list of structures, each one as a form of its own. */
  texts(name: string): string[];
  forms(name: string): Form[];
}

export interface QueryServiceOptions<Name extends string> {
  /** As in error messages, e.g. `iam`. */
  service: string;
  namespace: string;
  operations: Record<Name, QueryOperation>;
  judge: Judge;
  refusal: Refusal;
}

export function createQueryService<Name extends string>(options: QueryServiceOptions<Name>): Service {
  const { service, namespace, judge, refusal } = options;
  const operations = new Map<string, QueryOperation>(Object.entries(options.operations));
  return {
    async handle(request, response) {
      try {
        const form = formOf(await readForm(request), '');
        const name = form.text('Action') ?? '';
        const operation = operations.get(name);
        if (!operation) throw new AwsError(501, 'NotImplemented', `The sandbox does not implement ${service}.${name}.`);
        const { principal, secure, requestId } = request;
        if (!principal) throw refuse('query', { kind: 'missing' });
        for (const resource of operation.resources(form)) {
          const context = { 'aws:SecureTransport': String(secure) };
          judge.require({ principal, action: operation.action, resource, context, resourcePolicy: null }, refusal);
        }
        const result = contentXml(operation.run(form, principal));
        const body =
          `<${name}Response xmlns="${namespace}"><${name}Result>${result}</${name}Result>` +
          `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`;
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) });
        response.end(body);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        sendError('query', response, error, request.requestId);
      }
    },
  };
}

function formOf(parameters: URLSearchParams, prefix: string): Form {
  const text = (name: string) => parameters.get(prefix + name);
  return {
    text,
    required(name) {
      const value = text(name);
      if (value === null || value === '') throw new AwsError(400, 'ValidationError', `The parameter ${prefix}${name} is missing.`);
      return value;
    },
    texts: (name) => numbered((index) => text(`${name}.member.${index}`)),
    forms: (name) =>
      numbered((index) => {
        const start = `${prefix}${name}.member.${index}.`;
        return Array.from(parameters.keys()).some((key) => key.startsWith(start)) ? formOf(parameters, start) : null;
      }),
  };
}

/** From 1 on, until there is none. */
function numbered<T>(find: (index: number) => T | null): T[] {
  const found: T[] = [];
  for (let one = find(1); one !== null; one = find(found.length + 1)) found.push(one);
  return found;
}

function contentXml(content: Content): string {
  if (typeof content !== 'object') return escapeXml(String(content));
  if (isList(content)) return content.map((member) => `<member>${contentXml(member)}</member>`).join('');
  return Object.entries(content)
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${contentXml(value)}</${name}>`))
    .join('');
}

function isList(content: object): content is readonly Content[] {
  return Array.isArray(content);
}

async function readForm(request: WireRequest): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
