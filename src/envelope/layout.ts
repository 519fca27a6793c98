/**
 * Where the parts of a framed message stand. Pure.
 * @see https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html#body-framing
 */

const SEQUENCE_BYTES = 4;
const LENGTH_BYTES = 4;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;

/** What a frame has beside its content: sequence number, IV and tag. */
const FRAME_OVERHEAD = SEQUENCE_BYTES + IV_BYTES + TAG_BYTES;
/** The last one is marked and tells its length. */
const FINAL_OVERHEAD = FRAME_OVERHEAD + SEQUENCE_BYTES + LENGTH_BYTES;

/** In bytes. */
export interface Layout {
  /** The header with its authentication: where the first frame begins. */
  headerBytes: number;
  /** Content of every frame but the last, which has as many or fewer. */
  frameBytes: number;
}

/** Frames count from 1. */
export interface FrameSpan {
  first: number;
  last: number;
  /** Whether `last` is the message's last frame. */
  untilEnd: boolean;
  /** Positions of the first and the last of these frames' bytes in the message. */
  bytes: { first: number; last: number };
  /** Bytes of plaintext before the first of these frames. */
  plaintextBefore: number;
}

/** The plaintext of a message of so many bytes; `null`: no message is so long. Says nothing of whether it is one. */
export function plaintextBytes(layout: Layout, messageBytes: number): number | null {
  const { frameBytes } = layout;
  const frames = regularFrames(layout, messageBytes);
  const inFinal = messageBytes - layout.headerBytes - FINAL_OVERHEAD - frames * (frameBytes + FRAME_OVERHEAD);
  return frames < 0 || inFinal > frameBytes ? null : frames * frameBytes + inFinal;
}

/** What becomes of so many bytes: where they end with a frame, an empty one follows. */
export function messageBytes({ headerBytes, frameBytes }: Layout, plaintext: number): number {
  return headerBytes + plaintext + Math.floor(plaintext / frameBytes) * FRAME_OVERHEAD + FINAL_OVERHEAD;
}

/**
 * The frames that hold a range of the plaintext.
 * @param range positions of its first and last byte, both within the plaintext
 */
export function framesOf(layout: Layout, range: { first: number; last: number }, messageBytes: number): FrameSpan {
  const { headerBytes, frameBytes } = layout;
  const final = regularFrames(layout, messageBytes) + 1;
  const frameAt = (position: number) => Math.min(Math.floor(position / frameBytes) + 1, final);
  const beginOf = (frame: number) => headerBytes + (frame - 1) * (frameBytes + FRAME_OVERHEAD);
  const [first, last] = [frameAt(range.first), frameAt(range.last)];
  const untilEnd = last === final;
  return {
    first,
    last,
    untilEnd,
    bytes: { first: beginOf(first), last: (untilEnd ? messageBytes : beginOf(last + 1)) - 1 },
    plaintextBefore: (first - 1) * frameBytes,
  };
}

/** The message's last frame alone. */
export function finalFrame(layout: Layout, messageBytes: number): FrameSpan {
  const frame = regularFrames(layout, messageBytes) + 1;
  const first = layout.headerBytes + (frame - 1) * (layout.frameBytes + FRAME_OVERHEAD);
  return {
    first: frame,
    last: frame,
    untilEnd: true,
    bytes: { first, last: messageBytes - 1 },
    plaintextBefore: (frame - 1) * layout.frameBytes,
  };
}

/** How many come before the last one; negative: none fits. */
function regularFrames({ headerBytes, frameBytes }: Layout, messageBytes: number): number {
  return Math.floor((messageBytes - headerBytes - FINAL_OVERHEAD) / (frameBytes + FRAME_OVERHEAD));
}
