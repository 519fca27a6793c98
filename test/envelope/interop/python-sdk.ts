/** The AWS Encryption SDK for Python, asked through sdk.py beside this: messages made there, and opened there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { EncryptionContext } from '../../../src/envelope/index.ts';

/** The wrapping key of the run, another one, or a KMS key. */
export type PythonKeyring = Record<string, never> | { name: string; key: string } | { keyArn: string };

export interface ToEncrypt {
  keyring: PythonKeyring;
  plaintext: Buffer;
  context: EncryptionContext;
  /** The algorithm suite's number. */
  suite: number;
  /** `null`: as the SDK has it; 0: not in frames. */
  frameBytes: number | null;
}

export interface ToDecrypt {
  keyring: PythonKeyring;
  message: Buffer;
  /** What the message's context must say. */
  context: EncryptionContext;
}

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const encrypted = z.strictObject({ message: base64 });
const decrypted = z.union([
  z.strictObject({ refused: z.string() }),
  z.strictObject({
    plaintext: base64,
    context: z.record(z.string(), z.string()),
    /** The same as the SDK would write it into a header. */
    contextBytes: base64,
    suite: z.number(),
    frameBytes: z.number(),
    messageId: z.string(),
  }),
]);

export interface PythonSdk extends AsyncDisposable {
  encrypt(question: ToEncrypt): Promise<Buffer>;
  decrypt(question: ToDecrypt): Promise<z.infer<typeof decrypted>>;
}

/** @param python that has what requirements.txt names @param keyFile as sdk.py reads it @param environment where KMS is, and as whom to ask it */
export function startPythonSdk(python: string, keyFile: string, environment: Record<string, string>): PythonSdk {
  const program = fileURLToPath(new URL('sdk.py', import.meta.url));
  const child = spawn(python, ['-B', program, keyFile], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  /** One at a time: answers come in the order of the questions. */
  async function ask(question: object): Promise<unknown> {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { done, value } = await lines.next();
    if (done) throw new Error('the Encryption SDK for Python ended: what it said stands above');
    return JSON.parse(value);
  }

  return {
    async encrypt({ plaintext, ...question }) {
      return encrypted.parse(await ask({ do: 'encrypt', ...question, plaintext: plaintext.toString('base64') })).message;
    },
    async decrypt({ message, ...question }) {
      return decrypted.parse(await ask({ do: 'decrypt', ...question, message: message.toString('base64') }));
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
}
