/** What records and the trail say, without a table. */

import type { Evidence } from '../../../cli/redrive/nothing-left.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { ObjectRecord } from '../../../src/audit/object-record.ts';
import { INGEST_BUCKET } from '../../fixtures/objects.ts';

interface Known {
  /** Key → the sequencer of its newest record. */
  records?: Record<string, string>;
  /** Where the recorded sources lay. */
  bucket?: string;
  /** Sequencers of sources that were deleted. */
  deleted?: string[];
  source?: 'keep' | 'delete';
}

/** What is changed in `known` later is known then. */
export function evidenceOf(known: Known): Evidence {
  return {
    stack: { targetBucket: 'target', source: known.source ?? 'keep' },
    records: {
      async latest(bucket, key) {
        const sequencer = known.records?.[key];
        if (sequencer === undefined) return null;
        return { bucket, key, source: { bucket: known.bucket ?? INGEST_BUCKET, etag: 'e', sequencer } } as ObjectRecord;
      },
    },
    trail: {
      async history({ bucket, key }) {
        const events = (known.deleted ?? []).map((uniqueId) => ({ bucket, key, action: 'SourceDeleted', uniqueId }) as AuditEvent);
        return { events, next: null };
      },
    },
  };
}
