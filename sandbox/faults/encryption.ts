/** A server that takes the headers of encryption and does nothing about them. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { WireRequest } from '../service.ts';
import { changeBody, changeHeaders } from './answer.ts';
import type { FaultOf } from './plan.ts';

const PREFIX = 'x-amz-server-side-encryption';
/** They say what the new object shall be; its parts only follow. */
const BEGINS_OBJECT = ['PutObject', 'CopyObject', 'CreateMultipartUpload'];

type Answer = FaultOf<'ignore-encryption'>['answer'];

export interface UnencryptedUploads {
  /** Whether the upload was begun without the encryption that it asked for: its parts cannot have any then. */
  has(request: WireRequest): boolean;
  /** Stores what the request asks for under SSE-S3, whatever it says, and answers as `answer` has it. */
  ignore(operation: string, answer: Answer, request: WireRequest, response: ServerResponse): void;
}

export function createUnencryptedUploads(): UnencryptedUploads {
  const uploads = new Map<string, Answer>();
  const idOf = (request: WireRequest) => request.query.get('uploadId') ?? '';
  return {
    has: (request) => uploads.has(idOf(request)),
    ignore(operation, chosen, request, response) {
      const answer = uploads.get(idOf(request)) ?? chosen;
      const asked = encryptionOf(request.headers);
      // Policies have judged what was asked for; what is done comes after them.
      request.beforeWork = () => {
        for (const name of Object.keys(asked)) delete request.headers[name];
        if (BEGINS_OBJECT.includes(operation)) request.headers[PREFIX] = 'AES256';
      };
      changeHeaders(response, (headers) => {
        for (const name of Object.keys(encryptionOf(headers))) delete headers[name];
        Object.assign(headers, claim(answer, asked));
      });
      if (operation === 'CreateMultipartUpload') {
        changeBody(response, 'application/xml', (xml) => {
          const [, uploadId] = /<UploadId>([^<]+)</.exec(xml) ?? [];
          if (uploadId !== undefined) uploads.set(uploadId, answer);
          return xml;
        });
      }
    },
  };
}

/** The headers that a server gives which stored the object under SSE-S3 and says otherwise. */
function claim(answer: Answer, asked: IncomingHttpHeaders): Record<string, string> {
  const algorithm = asked[PREFIX];
  const customerKey = asked[`${PREFIX}-customer-algorithm`] !== undefined;
  if (answer === 'silent') return {};
  if (answer === 'other-key' && customerKey) {
    const md5 = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64');
    return { [`${PREFIX}-customer-algorithm`]: 'AES256', [`${PREFIX}-customer-key-MD5`]: md5 };
  }
  if (answer === 'other-key' && typeof algorithm === 'string' && algorithm !== 'AES256') return otherKey(algorithm);
  const storedAsAsked = !customerKey && (algorithm === undefined || algorithm === 'AES256');
  return storedAsAsked ? otherKey('aws:kms') : { [PREFIX]: 'AES256' };
}

function otherKey(algorithm: string): Record<string, string> {
  return { [PREFIX]: algorithm, [`${PREFIX}-aws-kms-key-id`]: `arn:${PARTITION}:kms:${REGION}:${ACCOUNT_ID}:key/${randomUUID()}` };
}

/** Those of the new object: the key of a copy's source has another prefix, and is needed. */
function encryptionOf<Headers extends IncomingHttpHeaders | OutgoingHttpHeaders>(headers: Headers): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase().startsWith(PREFIX))) as IncomingHttpHeaders;
}
