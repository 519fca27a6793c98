/** SQS's errors: the name that JSON clients read, and the older code that query clients (and boto) know it by. */
import { AwsError } from '../aws-error.ts';

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html */
const QUERY_CODES: Record<string, string> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  PurgeQueueInProgress: 'AWS.SimpleQueueService.PurgeQueueInProgress',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
  InvalidParameterValueException: 'InvalidParameterValue',
  AccessDeniedException: 'AccessDenied',
};

/** Header of the awsQueryCompatible trait: `CODE;Sender`. */
export function queryErrorHeader(error: AwsError): Record<string, string> {
  return { 'x-amzn-query-error': `${QUERY_CODES[error.code] ?? error.code};${error.status < 500 ? 'Sender' : 'Receiver'}` };
}

const error = (code: string, message: string) => new AwsError(400, code, message);

export const queueDoesNotExist = () => error('QueueDoesNotExist', 'The specified queue does not exist.');
export const queueNameExists = (attribute: string) =>
  error('QueueNameExists', `A queue already exists with the same name and a different value for attribute ${attribute}`);
export const unknownAttribute = (name: string) => error('InvalidAttributeName', `Unknown Attribute ${name}.`);
export const invalidAttribute = (name: string) => error('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
export const invalidPolicy = (why: string) => error('InvalidAttributeValue', `Invalid value for the parameter Policy. ${why}`);
export const invalidParameter = (message: string) => error('InvalidParameterValueException', message);
export const invalidReceiptHandle = () => error('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
export const messageNotInflight = () => error('MessageNotInflight', 'The message referred to is not in flight.');
export const unsupported = (message: string) => error('UnsupportedOperation', message);
export const resourceNotFound = (message: string) => new AwsError(404, 'ResourceNotFoundException', message);
export const invalidMessageContents = (message: string) => error('InvalidMessageContents', message);
export const batchError = (code: string, message: string) => error(code, message);
export const purgeInProgress = (name: string) =>
  new AwsError(403, 'PurgeQueueInProgress', `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`);
