/** From the text of `policy.yml` to a policy, or to every problem it has at once. */
import { isMap, isScalar, type Node } from 'yaml';
import type { z } from 'zod';
import { SealdropError } from '../errors.ts';
import { type Policy, policySchema } from './schema.ts';
import { openYaml } from './yaml-document.ts';

/**
 * @param text the file's content
 * @param fileName how messages call it
 * @throws SealdropError `policy-invalid`: one line a problem, `file:line:column: at path: got VALUE; allowed: …`
 */
export function loadPolicy(text: string, fileName = 'policy.yml'): Policy {
  const document = openYaml(text);
  const invalid = (problems: { offset: number; problem: string }[]) => {
    const lines = problems.map(({ offset, problem }) => {
      const { line, col } = document.place(offset);
      return `${fileName}:${line}:${col}: ${onOneLine(problem)}`;
    });
    return new SealdropError('policy-invalid', lines.join('\n'));
  };
  const said = document.read();
  if ('problems' in said) throw invalid(said.problems);
  const result = policySchema.safeParse(said.value);
  if (result.success) return result.data;

  throw invalid(
    result.error.issues.flatMap(flatten).map((issue) => {
      const { node, offset } = document.locate(issue.path);
      const path = issue.path.map((step) => String(step) || "''").join('.') || 'the policy';
      return { offset, problem: `at ${path}: ${describe(issue, node)}` };
    }),
  );
}

type Issue = z.core.$ZodIssue;

/** An unknown word is reported where it stands, not where its parent begins. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'unrecognized_keys') return [issue];
  return issue.keys.map((key) => ({ ...issue, keys: [key], path: [...issue.path, key] }));
}

function describe(issue: Issue, node: Node | null): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown word; allowed: ${issue.message}`;
    case 'invalid_value':
      return `got ${show(node)}; allowed: ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return `got ${show(node)}; allowed: ${'options' in issue && issue.options ? issue.options.map(String).join(', ') : issue.message}`;
    case 'invalid_type':
      return node === null ? `missing; it must be of type ${issue.expected}` : `got ${show(node)}; it must be of type ${issue.expected}`;
    default:
      return `got ${show(node)}; allowed: ${issue.message}`;
  }
}

function show(node: Node | null): string {
  if (node === null) return 'nothing';
  if (isScalar(node)) return JSON.stringify(node.value);
  return isMap(node) ? 'a mapping' : 'a list';
}

function onOneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (sign) => JSON.stringify(sign).slice(1, -1));
}
