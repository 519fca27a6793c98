/** What a run drops: keys, their states, and who writes and deletes them in which order. All from a seed. */
import { randomNumbers } from '../random-numbers.ts';
import { FOLDERS, type Folder } from './stored-as.ts';

const KIB = 1024;

/** Small ones, so that few bytes are many parts. */
export const PART_BYTES = 64 * KIB;
export const PARTS_ABOVE_BYTES = 3 * PART_BYTES;
const MANY_PARTS = 50;

const MAX_STATES = 5;

const CONTENT_TYPES = ['application/pdf', 'text/plain; charset=utf-8', 'image/png', 'application/octet-stream'];
const CHECKSUMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;

/** Names that something on the way could mangle. */
const ODD_NAMES = [
  'with space',
  'a+b',
  '100%',
  'a%2Fb',
  'ü日本語',
  '🔑',
  'double//slash',
  'trailing/',
  'quote\'"',
  '&amp;<x>',
  'back\\slash',
  '#?=&',
];

export interface PlannedState {
  /** From 0, within its key. */
  number: number;
  /** Bytes. */
  size: number;
  contentType?: string;
  contentLanguage?: string;
  contentDisposition?: string;
  cacheControl?: string;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  checksum?: (typeof CHECKSUMS)[number];
}

export type Step =
  | { do: 'put'; state: PlannedState }
  /** A delete marker. */
  | { do: 'hide' }
  /** Deletes the version that the step before put, for good. */
  | { do: 'remove' };

export type Story = 'once' | 'overwritten' | 'raced' | 'hidden' | 'removed' | 'newest removed' | 'older removed';

export interface PlannedKey {
  key: string;
  folder: Folder;
  story: Story;
  /** Each a sequence of steps; they run in parallel. */
  writers: Step[][];
}

/** How many of a hundred keys have which story. */
const STORIES: Record<Story, number> = {
  once: 56,
  overwritten: 16,
  raced: 12,
  hidden: 4,
  removed: 4,
  'newest removed': 4,
  'older removed': 4,
};

/** The same for the same seed and count. */
export function planKeys(count: number, seed: number): PlannedKey[] {
  const below = randomNumbers(seed);
  return Array.from({ length: count }, (_, index) => planKey(index, below));
}

/** In the order of their numbers. */
export function statesOf({ writers }: PlannedKey): PlannedState[] {
  const states = writers.flat().flatMap((step) => (step.do === 'put' ? [step.state] : []));
  return states.sort((a, b) => a.number - b.number);
}

type Below = (below: number) => number;

function planKey(index: number, below: Below): PlannedKey {
  const folder = FOLDERS[index % FOLDERS.length] ?? '';
  const odd = below(5) === 0 ? `${one(ODD_NAMES, below)}-` : '';
  const long = below(50) === 0 ? `${'long/'.repeat(190)}` : '';
  const story = pickStory(below);
  let made = 0;
  const put = (): Step => ({ do: 'put', state: planState(made++, folder, below) });
  return { key: `${folder}${long}${odd}${index}`, folder, story, writers: tell(story, put, below) };
}

function tell(story: Story, put: () => Step, below: Below): Step[][] {
  const several = () => 2 + below(MAX_STATES - 1);
  switch (story) {
    case 'once':
      return [[put()]];
    case 'overwritten':
      return [Array.from({ length: several() }, put)];
    case 'raced':
      return Array.from({ length: several() }, () => [put()]);
    case 'hidden':
      return [[put(), { do: 'hide' }]];
    case 'removed':
      return [[put(), { do: 'remove' }]];
    case 'newest removed':
      return [[put(), put(), { do: 'remove' }]];
    case 'older removed':
      return [[put(), { do: 'remove' }, put()]];
    default:
      return story satisfies never;
  }
}

function pickStory(below: Below): Story {
  let left = below(100);
  for (const [story, share] of Object.entries(STORIES) as [Story, number][]) {
    if (left < share) return story;
    left -= share;
  }
  return 'once';
}

function planState(number: number, folder: Folder, below: Below): PlannedState {
  const contentType = folder === 'typed/' || below(2) === 0 ? one(CONTENT_TYPES, below) : undefined;
  const metadata = Object.fromEntries(
    Array.from({ length: below(4) }, (_, index) => [`note-${index}`, `value ${below(1_000_000)}; of ${number}`]),
  );
  const tags = Object.fromEntries(Array.from({ length: below(4) }, (_, index) => [`tag ${index}`, `${below(1000)} +=:@`]));
  if (folder === 'tagged/') tags.class = below(2) === 0 ? 'secret' : 'open';
  return {
    number,
    size: pickSize(below),
    ...(contentType === undefined ? {} : { contentType }),
    ...(below(4) === 0 ? { contentLanguage: 'de, en' } : {}),
    ...(below(4) === 0 ? { contentDisposition: 'attachment; filename="a b.txt"' } : {}),
    ...(below(4) === 0 ? { cacheControl: 'no-cache, max-age=60' } : {}),
    metadata,
    tags,
    ...(below(3) === 0 ? { checksum: one(CHECKSUMS, below) } : {}),
  };
}

function pickSize(below: Below): number {
  const kind = below(100);
  if (kind < 64) return 2 + below(10 * KIB);
  if (kind < 72) return below(2);
  if (kind < 88) return one([PART_BYTES, PARTS_ABOVE_BYTES, 4 * PARTS_ABOVE_BYTES], below) + one([-1, 0, 1], below);
  if (kind < 98) return below(8 * PART_BYTES);
  return (MANY_PARTS - 1) * PART_BYTES + 1 + below(PART_BYTES);
}

function one<T>(choices: readonly [T, ...T[]] | readonly T[], below: Below): T {
  const chosen = choices[below(choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}
