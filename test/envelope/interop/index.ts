/**
 * Our messages against the AWS Encryption SDK for Python, both ways, under a wrapping key and under a KMS key of the sandbox's, as they were
 * written and tampered with. A line a case; ends with 1 at the first that differs. scripts/second-sdk.sh installs the SDK and runs it:
 *
 *   node test/envelope/interop/index.ts PYTHON FOLDER   (the folder gets the wrapping key's file)
 */
import { ourMessages, theirMessages } from './both-ways.ts';
import { otherKeys, refusedHere, tampered } from './refusals.ts';
import { type Case, openWorld } from './world.ts';

const [, , python, folder] = process.argv;
if (python === undefined || folder === undefined) throw new Error('usage: node test/envelope/interop/index.ts PYTHON FOLDER');

await using world = await openWorld(python, folder);
const groups: [string, Case[]][] = [
  ['ours, which Python opens', ourMessages(world)],
  ["Python's, which we open", theirMessages(world)],
  ['tampered with, which neither opens', await tampered(world)],
  ['under another key or for another object, which neither opens', await otherKeys(world)],
  ["Python's, which we refuse by name", refusedHere(world)],
];

const held: string[] = [];
for (const [group, cases] of groups) {
  console.log(`\n${group}`);
  const failed = await firstDifference(cases);
  if (failed !== null) {
    console.log(`\nDiffers: ${failed.name}\n  ${failed.difference}`);
    process.exitCode = 1;
    break;
  }
  held.push(`${cases.length} ${group}`);
}
if (process.exitCode === undefined) console.log(`\nNo difference:\n  ${held.join('\n  ')}`);

async function firstDifference(cases: readonly Case[]): Promise<{ name: string; difference: string } | null> {
  for (const { name, difference: look } of cases) {
    const difference = await look().catch((cause: unknown) => {
      throw new Error(`fails: ${name}`, { cause });
    });
    if (difference !== null) return { name, difference };
    console.log(`  ok  ${name}`);
  }
  return null;
}
