import { describe, expect, it } from 'vitest';
import { type ErrorCode, SealdropError } from '../src/errors.ts';
import { countFailure, createMetrics } from '../src/metrics.ts';

function world() {
  const lines: unknown[] = [];
  const metrics = createMetrics({
    stack: 'sealdrop-dev',
    write: (line) => void lines.push(JSON.parse(line)),
    now: () => 1_795_167_015_123,
  });
  return { metrics, lines };
}

const directive = (dimensions: string[], Metrics: { Name: string; Unit: string }[]) => ({
  _aws: {
    Timestamp: 1_795_167_015_123,
    CloudWatchMetrics: [{ Namespace: 'Sealdrop', Dimensions: [dimensions], Metrics }],
  },
});
const OBJECTS = { Name: 'ObjectsEncrypted', Unit: 'Count' };
const BYTES = { Name: 'BytesEncrypted', Unit: 'Bytes' };
const LATENCY = { Name: 'EncryptLatency', Unit: 'Milliseconds' };

describe('metrics', () => {
  it('are one line for the stack and one for each value of a dimension, whatever the number of objects', () => {
    const { metrics, lines } = world();
    for (const mode of ['sse-c', 'sse-c', 'sse-s3'] as const) {
      metrics.add('ObjectsEncrypted', 1, { mode });
      metrics.add('BytesEncrypted', 10, { mode });
    }
    metrics.flush();
    expect(lines).toEqual([
      { ...directive(['stack'], [OBJECTS, BYTES]), stack: 'sealdrop-dev', ObjectsEncrypted: 3, BytesEncrypted: 30 },
      { ...directive(['stack', 'mode'], [OBJECTS, BYTES]), stack: 'sealdrop-dev', mode: 'sse-c', ObjectsEncrypted: 2, BytesEncrypted: 20 },
      { ...directive(['stack', 'mode'], [OBJECTS, BYTES]), stack: 'sealdrop-dev', mode: 'sse-s3', ObjectsEncrypted: 1, BytesEncrypted: 10 },
    ]);
  });

  it('keep every latency, since percentiles need them', () => {
    const { metrics, lines } = world();
    for (const ms of [5, 7, 5]) metrics.add('EncryptLatency', ms);
    metrics.flush();
    expect(lines).toEqual([{ ...directive(['stack'], [LATENCY]), stack: 'sealdrop-dev', EncryptLatency: [5, 7, 5] }]);
  });

  it.each([
    [100, [100]],
    [101, [100, 1]],
    [250, [100, 100, 50]],
  ])('put %d values on lines of at most 100', (count, lengths) => {
    const { metrics, lines } = world();
    metrics.add('ObjectsEncrypted', 1);
    for (let ms = 0; ms < count; ms += 1) metrics.add('EncryptLatency', ms);
    metrics.flush();
    expect(lines.map((line) => [Reflect.get(line as object, 'EncryptLatency')].flat().length)).toEqual(lengths);
    expect(lines.filter((line) => 'ObjectsEncrypted' in (line as object))).toHaveLength(1);
  });

  it('are written once', () => {
    const { metrics, lines } = world();
    metrics.flush();
    expect(lines).toEqual([]);
    metrics.add('ForeignWrites', 1);
    metrics.flush();
    metrics.flush();
    expect(lines).toHaveLength(1);
  });
});

describe('countFailure', () => {
  const KMS = 'User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:r:a:key/k because no policy allows it';

  it('counts by code and by mode', () => {
    const { metrics, lines } = world();
    countFailure(metrics, new SealdropError('throttled', 'x'), 'sse-kms');
    metrics.flush();
    const Failures = 1;
    expect(lines).toMatchObject([{ Failures }, { code: 'throttled', Failures }, { mode: 'sse-kms', Failures }]);
    expect(JSON.stringify(lines)).not.toContain('DeniedKmsCalls');
  });

  it.each<[ErrorCode, string, number | undefined]>([
    ['kms-key-denied', 'however it was said', 1],
    ['source-unreadable', `the source's key may not be used (AccessDenied: ${KMS})`, 1],
    ['source-unreadable', 'Access Denied', undefined],
    ['kms-key-disabled', 'KMS.DisabledException', 1],
    ['kms-key-pending-deletion', 'KMS.KMSInvalidStateException', 1],
    ['kms-key-not-found', 'KMS.NotFoundException', 1],
    ['customer-key-missing', 'ResourceNotFoundException', undefined],
  ])('%s (%s) makes %s denied calls of KMS', (code, message, denied) => {
    const { metrics, lines } = world();
    countFailure(metrics, new SealdropError(code, message));
    metrics.flush();
    expect(lines[0]).toMatchObject({ Failures: 1 });
    expect(Reflect.get(lines[0] as object, 'DeniedKmsCalls')).toBe(denied);
  });
});
