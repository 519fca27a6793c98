/** From which sizes on objects travel otherwise: parameters of CloudFormation, so that a local stack can try it with small files. */

import { MAX_STREAMED_BYTES } from '../src/http/delivery.ts';
import { usesTransit } from '../src/policy/downloads.ts';
import type { Part } from './cloudformation.ts';
import type { Settings } from './settings.ts';
import type { Stack } from './stack.ts';

const MIB = 1024 ** 2;
const BYTES = '[1-9][0-9]*';

const DESCRIPTIONS = {
  PartsAboveBytes: 'Objects above so many bytes are copied in parts.',
  PartBytes: 'How many bytes a part has at least.',
  RedirectAboveBytes: 'Downloads above so many bytes are redirected to S3, where it may serve them.',
  MaxStreamedBytes: 'Downloads above so many bytes go by a copy in transit, where S3 cannot serve them as they are.',
};

/** In bytes, as the parameters' texts. */
export function sizesOf({ partsAboveMiB, partMiB, redirectAboveMiB }: Pick<Settings, 'partsAboveMiB' | 'partMiB' | 'redirectAboveMiB'>) {
  return {
    PartsAboveBytes: String(partsAboveMiB * MIB),
    PartBytes: String(partMiB * MIB),
    RedirectAboveBytes: String(redirectAboveMiB * MIB),
    MaxStreamedBytes: String(MAX_STREAMED_BYTES),
  } satisfies Record<keyof typeof DESCRIPTIONS, string>;
}

export function sizes({ settings, policy }: Stack): Part {
  const all = Object.entries(sizesOf(settings)) as [keyof typeof DESCRIPTIONS, string][];
  const defaults = all.filter(([name]) => name !== 'MaxStreamedBytes' || usesTransit(policy));
  return {
    Parameters: Object.fromEntries(
      defaults.map(([name, Default]) => [name, { Type: 'String', Default, AllowedPattern: BYTES, Description: DESCRIPTIONS[name] }]),
    ),
  };
}
