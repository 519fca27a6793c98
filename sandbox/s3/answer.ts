/** Answers: head and body leave together. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { EmptyAnswer } from './errors.ts';

export function sendEmpty(response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  if (status !== 204 && status !== 304) headers['content-length'] = 0;
  response.writeHead(status, headers);
  response.end();
}

export function sendXml(response: ServerResponse, body: string, headers: OutgoingHttpHeaders = {}): void {
  headers['content-type'] = 'application/xml';
  headers['content-length'] = Buffer.byteLength(body);
  response.writeHead(200, headers);
  response.end(body);
}

/** S3's statuses that carry no error document. */
export function sendEmptyAnswer(response: ServerResponse, { status, headers }: EmptyAnswer): void {
  sendEmpty(response, status, { ...headers });
}

/** `2026-11-20T08:00:00.000Z`, as S3's XML has it. */
export function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** As in Last-Modified; S3 drops the milliseconds. */
export function httpDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}
