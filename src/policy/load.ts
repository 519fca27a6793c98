/** From the text of `policy.yml` to a policy, or to every problem it has at once. */
import { isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { SealdropError } from '../errors.ts';
import { type Policy, policySchema } from './schema.ts';

/**
 * @param text the file's content
 * @param fileName how messages call it
 * @throws SealdropError `policy-invalid`: one line a problem, `file:line:column: at path: got VALUE; allowed: …`
 */
export function loadPolicy(text: string, fileName = 'policy.yml'): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return `${fileName}:${line}:${col}: not valid YAML: ${error.message}`;
      }),
    );
  }
  const result = policySchema.safeParse(document.toJS());
  if (result.success) return result.data;

  const problems = result.error.issues.flatMap(flatten).map((issue) => {
    const node = nodeAt(document.contents, issue.path);
    const { line, col } = lines.linePos(node?.range?.[0] ?? 0);
    const path = issue.path.map(String).join('.') || 'the policy';
    return `${fileName}:${line}:${col}: at ${path}: ${describe(issue, node)}`;
  });
  throw invalid(problems);
}

type Issue = z.core.$ZodIssue;

function invalid(problems: string[]): SealdropError {
  return new SealdropError('policy-invalid', problems.join('\n'));
}

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
      return issue.discriminator === undefined
        ? `got ${show(node)}; allowed: ${issue.message}`
        : `got ${show(node)}; allowed: ${(issue.options ?? []).map(String).join(', ')}`;
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

/** The deepest node on the path that exists; for an unknown word its key, so that the line is the word's own. */
function nodeAt(root: Node | null, path: readonly PropertyKey[]): Node | null {
  let node: Node | null = root;
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return index === path.length - 1 ? null : node;
      if (index === path.length - 1 && isNode(pair.key) && !isNode(pair.value)) return pair.key;
      node = isNode(pair.value) ? pair.value : null;
    } else if (node !== null && 'items' in node && Array.isArray(node.items)) {
      const item: unknown = node.items[Number(step)];
      node = isNode(item) ? item : null;
    }
  }
  return node;
}
