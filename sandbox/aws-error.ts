/**
 * An error as AWS would answer it. `code` is the service's own code (`NoSuchKey`, `DisabledException`),
 * `detail` holds further members of the answer (S3: XML elements such as `Key`; JSON services: members).
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: Record<string, string>;

  constructor(status: number, code: string, message: string, detail: Record<string, string> = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}
