/** Instruction files: KEY.instruction, which holds what the metadata of KEY does not. */
import {
  DESCRIPTIVE,
  type Fields,
  FORMATS,
  formatOf,
  formatsOf,
  INSTRUCTION_FILE_MARK,
  PLAINTEXT_LENGTH,
  V3_OF_THE_OBJECT,
} from './names.ts';
import { refusal } from './refusal.ts';

export const INSTRUCTION_FILE_SUFFIX = '.instruction';

/** Some clients write these as numbers: see UnmarshalJSON in amazon-s3-encryption-client-go/v4/internal/object_metadata.go. */
const NUMBERS = ['x-amz-tag-len', PLAINTEXT_LENGTH];

/**
 * Whether an object is an instruction file, which goes with another object and is none of the application's own.
 * Not every client marks them, so that a name that ends like one's makes it read the text: JSON with a wrapped key.
 * What has a wrapped key in its own metadata is none, marked or not.
 */
export async function isInstructionFile(
  source: { key: string; metadata: Record<string, string> },
  readText: () => Promise<string>,
): Promise<boolean> {
  if (formatsOf(source.metadata).length > 0) return false;
  if (Object.hasOwn(source.metadata, INSTRUCTION_FILE_MARK)) return true;
  if (!source.key.endsWith(INSTRUCTION_FILE_SUFFIX)) return false;
  const fields = parse(await readText());
  return fields !== null && Object.values(FORMATS).some(({ key }) => typeof fields[key] === 'string');
}

/**
 * The fields of an object whose own metadata has no wrapped key.
 * @param own what the client wrote into the object's own metadata
 * @throws SealdropError `source-not-decryptable`
 */
export function withInstructions(own: Fields, text: string): Fields {
  const file = readFields(text);
  const ofTheObject = formatOf(file) === 'V3' ? V3_OF_THE_OBJECT : [];
  for (const name of Object.keys(own)) {
    if (!ofTheObject.includes(name) && !DESCRIPTIVE.includes(name)) {
      throw refusal(`its metadata holds ${name}, which belongs into the instruction file that it has`);
    }
  }
  for (const name of V3_OF_THE_OBJECT) {
    if (Object.hasOwn(file, name)) throw refusal(`its instruction file holds ${name}, which belongs into the object's own metadata`);
  }
  return { ...file, ...own };
}

/** Names of others are let through: the specification allows them, and nobody looks at them. */
function readFields(text: string): Fields {
  const json = parse(text);
  if (json === null) throw refusal('its instruction file is not a JSON object');
  const fields: Fields = {};
  for (const [name, value] of Object.entries(json)) {
    if (!name.startsWith('x-amz-')) continue;
    if (typeof value === 'string') fields[name] = value;
    else if (typeof value === 'number' && NUMBERS.includes(name)) fields[name] = String(value);
    else throw refusal(`${name} in its instruction file is not a text`);
  }
  return fields;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}
