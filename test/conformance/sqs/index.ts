/** Everything expected of SQS. */
import type { Expectation } from '../expectation.ts';
import { DEAD_LETTER_QUEUES } from './dead-letters.ts';
import { MESSAGES } from './messages.ts';
import { QUEUES } from './queues.ts';
import { VISIBILITIES } from './visibility.ts';

export const SQS: Expectation[] = [...QUEUES, ...MESSAGES, ...VISIBILITIES, ...DEAD_LETTER_QUEUES];
