/** Which shape a request, and so its errors, has. */
import type { IncomingHttpHeaders } from 'node:http';

/** `rest-xml` is S3, `json` the services with `X-Amz-Target`, `rest-json` Lambda, `query` form-encoded STS and CloudFormation. */
export type Protocol = 'rest-xml' | 'json' | 'rest-json' | 'query';

export function protocolOf(service: string, headers: IncomingHttpHeaders): Protocol {
  if (service === 's3') return 'rest-xml';
  if (headers['x-amz-target'] !== undefined) return 'json';
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? 'query' : 'rest-json';
}
