/**
 * STS, as far as it takes to ask who one is.
 *
 * What it does not do (2026-11-20): every operation but GetCallerIdentity. Roles get their credentials in process.
 */
import { ACCOUNT_ID } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Principal, Service, WireRequest } from '../service.ts';
import { escapeXml, sendError } from '../wire/error-response.ts';
import { refuse } from '../wire/signature-errors.ts';

const VERSION = '2011-06-15';

interface Definition {
  /** The IAM action that allows it. */
  action: string;
  /** The content of the `…Result` element. */
  run(principal: Principal): string;
}

/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const OPERATIONS: Record<'GetCallerIdentity', Definition> = {
  GetCallerIdentity: {
    action: 'sts:GetCallerIdentity',
    run: (principal) =>
      `<Arn>${escapeXml(principal.arn)}</Arn><UserId>${escapeXml(principal.userId)}</UserId><Account>${ACCOUNT_ID}</Account>`,
  },
};

export function createSts(): Service {
  return {
    async handle(request, response) {
      try {
        const name = String((await readForm(request)).get('Action') ?? '');
        if (!isOperation(name)) throw new AwsError(501, 'NotImplemented', `The sandbox does not implement sts.${name}.`);
        if (!request.principal) throw refuse('query', { kind: 'missing' });
        const result = OPERATIONS[name].run(request.principal);
        const body =
          `<${name}Response xmlns="https://sts.amazonaws.com/doc/${VERSION}/"><${name}Result>${result}</${name}Result>` +
          `<ResponseMetadata><RequestId>${request.requestId}</RequestId></ResponseMetadata></${name}Response>`;
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(body) });
        response.end(body);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        sendError('query', response, error, request.requestId);
      }
    },
  };
}

function isOperation(name: string): name is keyof typeof OPERATIONS {
  return Object.hasOwn(OPERATIONS, name);
}

async function readForm(request: WireRequest): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
