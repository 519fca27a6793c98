/** Errors in the shape that the client of each protocol reads. */
import type { ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Protocol } from './protocol.ts';

/** Answers with `error`; does nothing when an answer was already begun, but cuts it off so that it cannot pass for a whole one. */
export function sendError(protocol: Protocol, response: ServerResponse, error: AwsError, requestId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { contentType, body } = SHAPES[protocol](error, requestId);
  const headers: Record<string, string | number> = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  if (protocol === 'json' || protocol === 'rest-json') headers['x-amzn-errortype'] = error.code;
  response.writeHead(error.status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** S3's error document. @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses */
export function s3ErrorXml(error: AwsError, requestId: string): string {
  const detail = Object.entries(error.detail).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>` +
    `${detail.join('')}<RequestId>${requestId}</RequestId><HostId>sandbox</HostId></Error>`
  );
}

/** Text for XML; characters that XML 1.0 cannot carry become U+FFFD. */
export function escapeXml(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replace(NOT_XML, '\uFFFD').replace(/[&<>"'\r]/g, (character) => ENTITIES[character] ?? character);
}

/** An unexpected exception, which is a defect of the sandbox, becomes AWS's 500. */
export function asAwsError(error: unknown): AwsError {
  return error instanceof AwsError ? error : new AwsError(500, 'InternalError', 'We encountered an internal error. Please try again.');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\r': '&#13;' };
const NOT_XML = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const NEEDS_ESCAPE = /[^\t\n !#-%(-;=?-~]/;

const SHAPES: Record<Protocol, (error: AwsError, requestId: string) => { contentType: string; body: string }> = {
  'rest-xml': (error, requestId) => ({ contentType: 'application/xml', body: s3ErrorXml(error, requestId) }),
  json: (error) => ({ contentType: 'application/x-amz-json-1.1', body: jsonBody(error) }),
  'rest-json': (error) => ({ contentType: 'application/json', body: JSON.stringify({ message: error.message, ...error.detail }) }),
  query: (error, requestId) => ({
    contentType: 'text/xml',
    body:
      `<ErrorResponse><Error><Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${error.code}</Code>` +
      `<Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
  }),
};

function jsonBody(error: AwsError): string {
  return JSON.stringify({ __type: error.code, message: error.message, ...error.detail });
}
