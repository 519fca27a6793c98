/** Exactly so many bytes at a time, from chunks of whatever length. */

export interface ByteReader {
  /** As many as asked for, in one piece or several; fewer only where the stream ends. */
  take(bytes: number): Promise<Buffer[]>;
  /** Gives back what was taken too much. */
  putBack(bytes: Buffer): void;
  /** Whether the stream has ended and nothing of it is left. */
  ended(): Promise<boolean>;
  /** Ends the stream, also where it has not been read to its end. */
  close(): Promise<void>;
}

export function byteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let left: Buffer = Buffer.alloc(0);
  let over = false;

  async function more(): Promise<boolean> {
    while (left.length === 0 && !over) {
      const { done, value } = await chunks.next();
      if (done) over = true;
      else left = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return left.length > 0;
  }

  return {
    async take(bytes) {
      const taken: Buffer[] = [];
      let wanted = bytes;
      while (wanted > 0 && (await more())) {
        const piece = left.subarray(0, wanted);
        left = left.subarray(piece.length);
        wanted -= piece.length;
        taken.push(piece);
      }
      return taken;
    },
    putBack(bytes) {
      left = left.length === 0 ? bytes : Buffer.concat([bytes, left]);
    },
    ended: async () => !(await more()),
    async close() {
      over = true;
      await chunks.return?.();
    },
  };
}

export const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);
