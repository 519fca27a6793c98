/** A service that says what it was given, and keeps it for the test to look at. */
import { AwsError } from '../../../sandbox/aws-error.ts';
import type { Service, WireRequest } from '../../../sandbox/service.ts';
import { sendError } from '../../../sandbox/wire/error-response.ts';

export interface Seen {
  request: WireRequest;
  body: Buffer;
}

export function createEcho(): Service & { seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    async handle(request, response) {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of request.body as AsyncIterable<Buffer>) chunks.push(chunk);
        seen.push({ request, body: Buffer.concat(chunks) });
        response.writeHead(200, { 'content-type': 'application/xml', etag: '"echo"' });
        response.end(request.headers['x-amz-copy-source'] ? '<CopyObjectResult><ETag>"echo"</ETag></CopyObjectResult>' : '');
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        sendError('rest-xml', response, error, request.requestId);
      }
    },
  };
}
