/** What the API's JSON bodies are made of, as JSON Schema 2020-12. Pure. */
import { ERROR_CODES } from '../errors.ts';

const text = { type: 'string' } as const;
const wholeNumber = { type: 'integer', minimum: 0 } as const;
const moment = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$', description: 'ISO 8601, UTC' } as const;
const cursor = { type: ['string', 'null'], description: 'Where the next page begins; null at the end.' } as const;

/** Strict, so that an answer which says more than this page is noticed. */
const object = (properties: Record<string, unknown>, required: string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const encryption = object(
  {
    mode: { enum: ['sse-s3', 'sse-kms', 'dsse-kms', 'sse-c', 'cse-kms', 'cse-aes'] },
    keyArn: text,
    bucketKey: { type: 'boolean' },
    customerKeyVersion: text,
    wrappingKeyVersion: text,
  },
  ['mode'],
);

export const SCHEMAS = {
  Problem: {
    description: 'https://www.rfc-editor.org/rfc/rfc9457',
    ...object({
      type: text,
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: { enum: ERROR_CODES },
      detail: text,
      instance: { type: 'string', pattern: '^urn:request:', description: 'Under this id the audit trail and the logs know the request.' },
    }),
  },
  LinkRequest: object(
    {
      key: text,
      versionId: { ...text, description: 'Absent: the current version.' },
      expiresInSeconds: { type: 'integer', minimum: 60, maximum: 604_800, default: 3600 },
      uses: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Ranges within five minutes are one use.' },
    },
    ['key'],
  ),
  Link: object({ id: text, path: text, key: text, versionId: text, expires: moment, uses: { type: 'integer', minimum: 1 } }),
  Preparing: object({ status: { const: 'preparing' }, retryAfterSeconds: { type: 'integer', minimum: 1 }, instance: text }),
  Health: object({ status: { const: 'ok' } }),
  Listing: object({
    objects: { type: 'array', items: object({ key: text, size: wholeNumber, etag: text, lastModified: { type: ['string', 'null'] } }) },
    prefixes: { type: 'array', items: text, description: 'What the delimiter cut off.' },
    cursor,
  }),
  Event: object(
    {
      action: {
        enum: [
          'ObjectEncrypted',
          'EncryptionFailed',
          'SourceDeleted',
          'SourceDeletionFailed',
          'ObjectDownloaded',
          'DownloadBroken',
          'DownloadAuthorised',
          'ObjectInspected',
          'ObjectWritten',
          'ObjectDeleted',
          'DriftFound',
          'TransitRequested',
          'TransitCopied',
          'TransitDeleted',
          'TransitFailed',
          'LinkCreated',
          'LinkRevoked',
          'DownloadDenied',
          'ShareDenied',
          'ListDenied',
          'HistoryDenied',
        ],
      },
      outcome: { enum: ['success', 'failure', 'denied'] },
      key: text,
      actor: text,
      sourceIpAddress: text,
      requester: text,
      at: moment,
      recordedAt: moment,
      uniqueId: text,
      correlationId: text,
      encryption,
      versionId: text,
      etag: text,
      sourceVersionId: text,
      size: wholeNumber,
      link: text,
      expires: moment,
      window: object({ from: moment, to: moment }),
      bytes: { type: 'string', pattern: '^\\d+-\\d+$', description: 'Of a read by ranges: what the first was.' },
      ranges: { type: 'integer', minimum: 1, description: 'How many ranges were read within the window.' },
      code: { enum: ERROR_CODES },
    },
    ['action', 'outcome', 'key', 'actor', 'at', 'recordedAt', 'uniqueId', 'correlationId'],
  ),
  History: object({ events: { type: 'array', items: { $ref: '#/components/schemas/Event' } }, cursor }),
};
