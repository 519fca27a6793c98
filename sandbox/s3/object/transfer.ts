/** The bytes of a copy, on their way from one object's files to a new one. */

import type { ChecksumAlgorithm } from '../checksum/algorithm.ts';
import { type Layers, newCounters } from '../encryption/cipher.ts';
import type { Room } from '../room.ts';
import { openPool } from '../transfer/pool.ts';
import { piecesOf, readObject, type StoredFile, writeFile } from './body.ts';
import type { CopySource } from './copy-source.ts';
import { type Measured, measure, NO_CLAIM } from './integrity.ts';
import type { ByteRange } from './range.ts';

/** Shared by all sandboxes of the process. */
const pool = openPool();

/**
 * Writes (a range of) a source into a new file under `layers`. The source is read as it is now, whatever happens to it meanwhile.
 * Nothing stays behind when it throws.
 */
export async function transfer(
  room: Room,
  { record, layers: sourceLayers }: CopySource,
  range: ByteRange,
  layers: Layers,
  wanted: { md5: boolean; algorithm: ChecksumAlgorithm },
): Promise<{ file: StoredFile; measured: Measured }> {
  if (range.length <= room.limits.threadBytes) {
    const integrity = measure(NO_CLAIM, wanted);
    const file = await writeFile(room, readObject(room, record, sourceLayers, range), layers, integrity.update);
    return { file, measured: integrity.finish({}) };
  }
  const { blobs } = room;
  const pieces = piecesOf(room.segments.of(record.id), range);
  const release = blobs.hold(pieces.map(({ segment }) => segment.blob));
  const { name, path } = blobs.reserve();
  try {
    const targetCounters = newCounters(layers);
    const { md5, checksum } = await pool.run({
      pieces: pieces.map(({ segment: { blob, counters }, offset, length }) => ({
        from: blobs.pathOf(blob) ?? blobs.read(blob, offset, length),
        counters,
        offset,
        length,
      })),
      sourceLayers,
      target: path,
      targetLayers: layers,
      targetCounters,
      ...wanted,
    });
    const checksums = new Map([[wanted.algorithm, Buffer.from(checksum).toString('base64')]]);
    return { file: { blob: name, size: range.length, counters: targetCounters }, measured: { md5: md5 && Buffer.from(md5), checksums } };
  } catch (error) {
    blobs.remove([name]);
    throw error;
  } finally {
    release();
  }
}
