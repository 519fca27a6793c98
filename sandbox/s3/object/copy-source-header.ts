/** `x-amz-copy-source`. */
import type { AwsError } from '../../aws-error.ts';
import { invalidArgument } from '../errors.ts';

/** `bucket/key?versionId=…`, URL-encoded, with or without a slash before it. */
export function parseCopySource(header: string): { bucketName: string; key: string; versionId: string | null } {
  const mark = header.lastIndexOf('?versionId=');
  const path = mark === -1 ? header : header.slice(0, mark);
  const versionId = mark === -1 ? null : header.slice(mark + '?versionId='.length);
  const decoded = decode(path, header).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) throw invalid(header);
  return { bucketName: decoded.slice(0, slash), key: decoded.slice(slash + 1), versionId };
}

function decode(path: string, header: string): string {
  try {
    return decodeURIComponent(path.replaceAll('+', ' '));
  } catch {
    throw invalid(header);
  }
}

function invalid(header: string): AwsError {
  return invalidArgument('Invalid copy source object key', 'x-amz-copy-source', header);
}
