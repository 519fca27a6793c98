/**
 * The fault plan on the wire, for whoever started the sandbox: `GET`, `PUT` and `DELETE /_sandbox/faults`.
 *
 * Requests are signed, with `sandbox` as the service, and only the administrator's are taken. Other paths below `/_sandbox` answer
 * anybody on this machine, but they change nothing: a plan can make S3 store in the clear, which no function of the
 * stack and no web page open on this machine may ask for.
 */
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { ADMINISTRATOR_ARN } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { Service, WireRequest } from '../service.ts';
import { sendError } from '../wire/error-response.ts';
import type { Faults } from './faults.ts';
import { FaultPlanError, parsePlan } from './plan.ts';
import { formatReport } from './report.ts';

const PATH = '/_sandbox/faults';
/** A thousand rules fit. */
const MAX_BODY_BYTES = 1024 * 1024;

export function createFaultService(faults: Faults): Service {
  return {
    async handle(request, response) {
      try {
        await answer(faults, request, response);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        sendError('rest-json', response, error, request.requestId);
      }
    },
  };
}

async function answer(faults: Faults, request: WireRequest, response: ServerResponse): Promise<void> {
  if (request.principal?.arn !== ADMINISTRATOR_ARN) {
    throw new AwsError(403, 'AccessDeniedException', 'Only the administrator of the sandbox may look at its faults and set them.');
  }
  if (request.rawPath !== PATH) throw new AwsError(404, 'NotFound', `The sandbox has nothing at ${request.rawPath}`);
  switch (request.method) {
    case 'GET':
      return report(faults, request, response);
    case 'PUT':
      faults.set(await readPlan(request));
      return report(faults, request, response);
    case 'DELETE':
      faults.clear();
      return report(faults, request, response);
    default:
      throw new AwsError(405, 'MethodNotAllowed', `${PATH} takes GET, PUT and DELETE.`);
  }
}

/** As text for people unless the request asks for JSON. */
function report(faults: Faults, { headers }: WireRequest, response: ServerResponse): void {
  const asJson = headers.accept?.includes('application/json') === true;
  const current = faults.report();
  const body = asJson
    ? JSON.stringify({ active: faults.active(), ...current })
    : `${faults.active() ? 'active' : 'no plan is active'}\n${formatReport(current)}`;
  response.writeHead(200, {
    'content-type': asJson ? 'application/json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function readPlan(request: WireRequest) {
  if ((request.contentLength ?? 0) > MAX_BODY_BYTES)
    throw new AwsError(413, 'RequestEntityTooLargeException', 'The fault plan is too large.');
  try {
    return parsePlan(JSON.parse(await text(request.body)));
  } catch (error) {
    if (error instanceof FaultPlanError) throw new AwsError(400, 'ValidationException', error.message);
    if (error instanceof SyntaxError) throw new AwsError(400, 'SerializationException', 'The fault plan is not valid JSON.');
    throw error;
  }
}
