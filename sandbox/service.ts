/** What every service of the sandbox is to the server that calls it, and to the services beside it. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Protocol } from './wire/protocol.ts';

/** Who signed a request. The next thing to be judged by policies hangs on this. */
export interface Principal {
  /** e.g. `arn:aws:iam::000000000000:user/administrator` or `arn:aws:sts::…:assumed-role/ROLE/FUNCTION` */
  arn: string;
  /** The role behind an assumed-role principal, `null` for the administrator. */
  roleArn: string | null;
  /**
   * IAM's unique id: `AROA…:SESSION` for a role's session, `AIDA…` for a user. What STS calls `UserId`, SQS `SenderId`,
   * policies `aws:userid`, and S3's events, behind `AWS:`, `principalId`.
   */
  userId: string;
  accessKeyId: string;
}

/** How and when a request was signed. */
export interface Signature {
  /** `query`: with a presigned URL, by whoever has it. */
  by: 'header' | 'query';
  /** Milliseconds since the epoch, as the signer says. */
  signedAt: number;
}

/** A request whose signature was checked; `body` yields the payload with `aws-chunked` framing removed. */
export interface WireRequest {
  method: string;
  /** Path as sent, still percent-encoded, without the query. */
  rawPath: string;
  /** Without the parameters that authenticate a presigned URL, and those that stand for headers. */
  query: URLSearchParams;
  /** Lower-cased names, as node:http gives them. */
  headers: IncomingHttpHeaders;
  /** Errors (AwsError) when the payload does not match its signed hash, chunk signatures or decoded length. */
  body: Readable;
  /** Trailing headers of an `aws-chunked` body (lower-cased); complete once `body` has ended. */
  trailers: Record<string, string>;
  /** Payload length in bytes after decoding, `null` when the client did not say. */
  contentLength: number | null;
  /** `null`: the request carried no signature at all. */
  principal: Principal | null;
  /** `null` as `principal` is. */
  signature: Signature | null;
  requestId: string;
  /** Seen as TLS unless the request said `x-sandbox-insecure: 1`. */
  secure: boolean;
  /** Called by S3 once the caller was judged and before the work: a fault that changes what is done, but not who may do it. */
  beforeWork?: () => void;
}

export interface Service {
  /** Answers the request, errors included: only a defect of the sandbox may make it reject. */
  handle(request: WireRequest, response: ServerResponse): Promise<void>;
}

/**
 * Stands between the server and a service, for faults. Answers the request, as the service would, with it or in its place.
 * Throws AwsError for what the server shall answer.
 */
export type Interceptor = (call: {
  /** By the name in the credential scope. */
  name: string;
  protocol: Protocol;
  service: Service;
  request: WireRequest;
  response: ServerResponse;
}) => Promise<void>;

/** For whom a service asks KMS: KMS judges that principal, with `kms:ViaService` = `<viaService>.<region>.amazonaws.com`. */
export interface KeyCaller {
  principal: Principal;
  /** e.g. `s3` */
  viaService: string;
}

/** KMS as other services of AWS use it: in process, with the same judgement, key states and errors as on the wire. */
export interface DataKeys {
  /**
   * @param keyId key id, key ARN, alias name or alias ARN.
   * Throws AwsError (`AccessDeniedException`, `NotFoundException`, `DisabledException`, `KMSInvalidStateException`).
   */
  generateDataKey(
    keyId: string,
    encryptionContext: Record<string, string>,
    caller: KeyCaller,
  ): { keyArn: string; plaintext: Buffer; ciphertextBlob: Buffer };
  /** Throws AwsError as above, and `InvalidCiphertextException` when the context differs. */
  decrypt(ciphertextBlob: Buffer, encryptionContext: Record<string, string>, caller: KeyCaller): { keyArn: string; plaintext: Buffer };
  /**
   * Whether the caller may do this with the key now, without doing it: for keys that a service keeps for a while (bucket keys).
   * Gives the key's ARN. Throws AwsError as above.
   */
  requireAllowed(
    action: 'kms:GenerateDataKey' | 'kms:Decrypt',
    keyId: string,
    encryptionContext: Record<string, string>,
    caller: KeyCaller,
  ): string;
  /** Full ARN of a usable key; creates AWS managed keys such as `alias/aws/s3` at first use, as KMS does. Throws as generateDataKey. */
  requireUsable(keyId: string): string;
}

export interface QueueMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  /** System attributes: ApproximateReceiveCount, SentTimestamp, SenderId, ApproximateFirstReceiveTimestamp … */
  attributes: Record<string, string>;
  messageAttributes: Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>;
}

/** SQS as the event source mapping and S3 use it: in process, the same visibility, counts and redrive as on the wire. */
export interface Queues {
  /** For a service of AWS, judged by the queue's policy. Throws AwsError when the queue is missing or refuses. */
  publish(queueArn: string, body: string, from: EventSource, options?: SendOptions): void;
  /** Asks nobody. Throws AwsError when the queue is missing. */
  send(queueArn: string, body: string): void;
  /** Whether a function's role may fetch its messages: receive and delete them, and look at the queue. Throws as above. */
  requirePolling(queueArn: string, role: Principal): void;
  /** Asks nobody: call `requirePolling` first. */
  receive(queueArn: string, options: { max: number; visibilityTimeoutSeconds?: number }): QueueMessage[];
  delete(queueArn: string, receiptHandle: string): void;
  changeVisibility(queueArn: string, receiptHandle: string, seconds: number): void;
  exists(queueArn: string): boolean;
  /** Calls back whenever messages may have become visible (sent, timed out, moved back); returns the unsubscribe function. */
  onAvailable(queueArn: string, listener: () => void): () => void;
}

export interface SendOptions {
  /** Until it becomes visible, fractions allowed; the queue's own delay unless given. */
  delaySeconds?: number;
}

/** Which service sends, on behalf of which resource: what `aws:SourceArn` and `aws:SourceAccount` of a queue's policy are compared with. */
export interface EventSource {
  /** e.g. `s3.amazonaws.com` */
  service: string;
  /** e.g. the bucket's ARN */
  sourceArn: string;
}

/**
 * Where S3 sends its event notifications. Synchronous, so that an object and its event are stored in one breath.
 * Throws AwsError when the target is missing or its policy refuses.
 */
export type NotificationSink = (targetArn: string, body: string, from: EventSource) => void;
