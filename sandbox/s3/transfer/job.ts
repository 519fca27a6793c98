/** What a copy asks of a thread, and what it hears. Only what a message can carry. */
import type { ChecksumAlgorithm } from '../checksum/algorithm.ts';
import type { Layers } from '../encryption/cipher.ts';

export interface Job {
  /** In order. */
  pieces: Piece[];
  /** Of the source. */
  sourceLayers: Layers;
  /** An empty file. */
  target: string;
  targetLayers: Layers;
  targetCounters: Uint8Array;
  md5: boolean;
  algorithm: ChecksumAlgorithm;
}

export interface Piece {
  /** The path of a file, or encrypted bytes, of which the piece is all. */
  from: string | Uint8Array;
  counters: Uint8Array;
  /** Where in its segment the piece begins. */
  offset: number;
  length: number;
}

export type Result = { md5: Uint8Array | null; checksum: Uint8Array } | { failed: string };
