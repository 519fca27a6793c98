/** Which objects are copied in parts, and how large parts are: parameters of CloudFormation, so that a local stack can copy small files in parts. */
import type { Part } from './cloudformation.ts';
import type { Settings } from './settings.ts';
import type { Stack } from './stack.ts';

const MIB = 1024 ** 2;
const BYTES = '[1-9][0-9]*';

/** In bytes, as the parameters' texts. */
export function partSizesOf({ partsAboveMiB, partMiB }: Pick<Settings, 'partsAboveMiB' | 'partMiB'>) {
  return { PartsAboveBytes: String(partsAboveMiB * MIB), PartBytes: String(partMiB * MIB) };
}

export function partSizes({ settings }: Stack): Part {
  const { PartsAboveBytes, PartBytes } = partSizesOf(settings);
  return {
    Parameters: {
      PartsAboveBytes: {
        Type: 'String',
        Default: PartsAboveBytes,
        AllowedPattern: BYTES,
        Description: 'Objects above so many bytes are copied in parts.',
      },
      PartBytes: { Type: 'String', Default: PartBytes, AllowedPattern: BYTES, Description: 'How many bytes a part has at least.' },
    },
  };
}
