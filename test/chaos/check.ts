/** Holds what is there against what was dropped. Pure: what it looks at was gathered before. */
import { encryptedAsAsked, faithful, newestWins, nothingLost, notInBoth } from './check-objects.ts';
import {
  causesAreTrue,
  currentIsRecorded,
  eventsAreTrue,
  lettersAreRecorded,
  nothingLeaked,
  nothingLeft,
  recordsAreTrue,
} from './check-trail.ts';
import type { Check, CheckInput } from './checking.ts';

export function checkAll(input: CheckInput): Check[] {
  return [
    nothingLost(input),
    notInBoth(input),
    newestWins(input),
    faithful(input),
    encryptedAsAsked(input),
    recordsAreTrue(input),
    eventsAreTrue(input),
    currentIsRecorded(input),
    lettersAreRecorded(input),
    causesAreTrue(input),
    nothingLeft(input),
    nothingLeaked(input),
  ];
}
