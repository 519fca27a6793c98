/**
 * S3's errors, in its own words.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
 */
import { AwsError } from '../aws-error.ts';

/** A status for which S3 sends no error document, such as 304. */
export class EmptyAnswer extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, headers: Record<string, string>) {
    super(`status ${status}`);
    this.name = 'EmptyAnswer';
    this.status = status;
    this.headers = headers;
  }
}

export const invalidRequest = (message: string): AwsError => new AwsError(400, 'InvalidRequest', message);

export const invalidArgument = (message: string, name: string, value?: string): AwsError =>
  new AwsError(
    400,
    'InvalidArgument',
    message,
    value === undefined ? { ArgumentName: name } : { ArgumentName: name, ArgumentValue: value },
  );

export const notImplemented = (what: string): AwsError => new AwsError(501, 'NotImplemented', `The sandbox does not implement ${what}.`);

/** S3's own 501 for a header whose value it does not take in this place. */
export const headerNotImplemented = (header: string, additionalMessage: string): AwsError =>
  new AwsError(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented', {
    Header: header,
    additionalMessage,
  });

export const malformedXml = (): AwsError =>
  new AwsError(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');

export const noSuchBucket = (bucket: string): AwsError =>
  new AwsError(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });

export const noSuchKey = (key: string): AwsError => new AwsError(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });

export const noSuchVersion = (key: string, version: string): AwsError =>
  new AwsError(404, 'NoSuchVersion', 'The specified version does not exist.', { Key: key, VersionId: version });

export const noSuchUpload = (uploadId: string): AwsError =>
  new AwsError(
    404,
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );

export const methodNotAllowedOnMarker = (method: string): AwsError =>
  new AwsError(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    Method: method,
    ResourceType: 'DeleteMarker',
  });

export const preconditionFailed = (condition: string): AwsError =>
  new AwsError(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { Condition: condition });

export const conditionalRequestConflict = (condition: string, key: string): AwsError =>
  new AwsError(
    409,
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    { Condition: condition, Key: key },
  );

export const entityTooLarge = (proposed: number, allowed: number): AwsError =>
  new AwsError(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: String(proposed),
    MaxSizeAllowed: String(allowed),
  });

export const severalChecksums = (): AwsError =>
  invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');

/** @param expected `null`: the upload named none */
export const checksumTypeMismatch = (expected: string | null, actual: string): AwsError =>
  invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected?.toLowerCase() ?? 'null'}, actual checksum Type: ${actual.toLowerCase()}`,
  );

export const copySourceTooLarge = (allowed: number): AwsError =>
  invalidRequest(`The specified copy source is larger than the maximum allowable size for a copy source: ${allowed}`);

export const accessDenied = (message = 'Access Denied'): AwsError => new AwsError(403, 'AccessDenied', message);
