/** Ways to tamper with a message of four frames: cut, with a bit turned in each part, and with its frames in another order. */
import type { MessageHead } from '../../../src/envelope/index.ts';

/** A frame's sequence number, IV and tag. */
const FRAME_OVERHEAD = 4 + 12 + 16;
/** The last one has a mark before them and a length behind. */
const LAST_FRAME_CONTENT = 4 + 4 + 12 + 4;
const TAG_BYTES = 16;
/** Behind the frames of a signed message; the signature follows. */
const SIGNATURE_LENGTH_BYTES = 2;

export function tamperings({ layout, info, context, encryptedDataKeys, signed }: MessageHead, message: Buffer): [string, Buffer][] {
  const { headerBytes, frameBytes } = layout;
  const frameAt = (frame: number) => headerBytes + (frame - 1) * (frameBytes + FRAME_OVERHEAD);
  const last = frameAt(4);
  const lastContentBytes = message.readUInt32BE(last + LAST_FRAME_CONTENT - 4);
  const end = last + LAST_FRAME_CONTENT + lastContentBytes + TAG_BYTES;
  const { messageHeader } = info;
  const commitment = 'suiteData' in messageHeader ? messageHeader.suiteData : Buffer.alloc(0);

  const at = (part: string | Uint8Array) => {
    const position = message.indexOf(part);
    if (position < 0 || part.length === 0) throw new Error('the message has no such part');
    return position;
  };
  const turned = (position: number, bit = 0) => {
    const changed = Buffer.from(message);
    changed.writeUInt8(changed.readUInt8(position) ^ (1 << bit), position);
    return changed;
  };
  const of = (...parts: [from: number, to: number][]) => Buffer.concat(parts.map(([from, to]) => message.subarray(from, to)));
  const [first, second, third] = [frameAt(1), frameAt(2), frameAt(3)];

  return [
    ['cut within its header', of([0, headerBytes - 40])],
    ['cut behind its header', of([0, headerBytes])],
    ['cut within its second frame', of([0, second + 40])],
    ['cut before its last frame', of([0, last])],
    ['without its last byte', of([0, message.length - 1])],
    ['a bit of its suite', turned(1, 0)],
    ['a bit of its message id', turned(3, 7)],
    ['a bit of its context', turned(at(context.bucket ?? ''), 1)],
    ['a bit of its encrypted data key', turned(at(encryptedDataKeys[0]?.encryptedDataKey ?? ''), 2)],
    ['a bit of its frame length', turned(at(commitment) - 2, 0)],
    ['a bit of its commitment', turned(at(commitment) + commitment.length - 1, 3)],
    ["a bit of its header's tag", turned(headerBytes - 1, 4)],
    ["a bit of its first frame's IV", turned(first + 4, 0)],
    ["a bit of its second frame's content", turned(second + 4 + 12, 5)],
    ["a bit of its third frame's tag", turned(last - 1, 6)],
    ["a bit of its last frame's length", turned(last + LAST_FRAME_CONTENT - 1, 0)],
    ["a bit of its last frame's content", turned(end - TAG_BYTES - 1, 0)],
    ["a bit of its last frame's tag", turned(end - 1, 7)],
    ['without its second frame', of([0, second], [third, message.length])],
    ['its first two frames the other way round', of([0, first], [second, third], [first, second], [third, message.length])],
    ...(signed
      ? ([
          ['without its signature', of([0, end])],
          ['a bit of its signature', turned(message.length - 1, 0)],
          ['a signature of no bytes', Buffer.concat([of([0, end]), Buffer.alloc(SIGNATURE_LENGTH_BYTES)])],
        ] satisfies [string, Buffer][])
      : []),
  ];
}
