/** From the text of `policy.yml` to a policy, or to every problem it has at once. */
import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
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
    const { node, offset } = locate(document.contents, issue.path);
    const { line, col } = lines.linePos(offset);
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

/** Where a path stands in the text: its word if it has one, else its value; the nearest parent when it is missing. */
function locate(root: Node | null, path: readonly PropertyKey[]): { node: Node | null; offset: number } {
  let node = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined || !isNode(pair.key)) return { node: null, offset };
      node = isNode(pair.value) ? pair.value : null;
      offset = (last || node === null ? pair.key.range?.[0] : node.range?.[0]) ?? offset;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      node = isNode(item) ? item : null;
      offset = node?.range?.[0] ?? offset;
    } else {
      return { node: null, offset };
    }
  }
  return { node, offset };
}
