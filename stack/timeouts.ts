/** Seconds that each function may take; queues and alarms follow from them. */
import { COPYING_SECONDS } from '../src/transit-times.ts';
import type { FunctionName } from './names.ts';

export const TIMEOUTS: Record<FunctionName, number> = {
  encrypt: 300,
  audit: 30,
  authorize: 29,
  // A streamed response may take up to 15 minutes.
  download: 900,
  list: 29,
  history: 29,
  health: 29,
  transit: COPYING_SECONDS,
  share: 29,
};
