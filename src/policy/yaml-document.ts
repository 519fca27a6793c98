/** YAML with its places: what was written, and where. Pure. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';

/** A problem and the offset in the text where it stands. */
export interface YamlProblem {
  offset: number;
  problem: string;
}

export interface YamlDocument {
  /** Plain values, or why there are none; a name such as `__proto__` would get lost on the way there. */
  read(): { value: unknown } | { problems: YamlProblem[] };
  /** Line and column, from 1. */
  place(offset: number): { line: number; col: number };
  /** Where a path stands: its word if it has one, else its value; the nearest parent when it is missing. */
  locate(path: readonly PropertyKey[]): { node: Node | null; offset: number };
}

export function openYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'error' });
  return {
    read: () => read(document),
    place(offset) {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), col: Math.max(1, col) };
    },
    locate: (path) => locate(document, path),
  };
}

function read(document: Document.Parsed): { value: unknown } | { problems: YamlProblem[] } {
  // What YAML merely warns of, such as a tag that nobody knows, would be taken for something else than was meant.
  const problems = [...document.errors, ...document.warnings].map(({ pos: [offset], message }) => invalid(offset, message));
  if (problems.length > 0) return { problems };
  try {
    const odd = oddNodes(document);
    return odd.length > 0 ? { problems: odd } : { value: document.toJS() };
  } catch (error) {
    // Aliases of aliases without end, or nested deeper than anybody writes.
    return { problems: [invalid(0, error instanceof Error ? error.message : String(error))] };
  }
}

/** What would get lost or fail on the way to plain values. */
function oddNodes(document: Document.Parsed): YamlProblem[] {
  const problems: YamlProblem[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined) problems.push(invalid(offsetOf(alias), `*${alias.source} stands for nothing`));
    },
    Pair(_, { key }) {
      if (!isScalar(key) || (typeof key.value === 'object' && key.value !== null)) {
        problems.push(invalid(offsetOf(key), 'something else stands where a word must'));
      } else if (key.value === '__proto__') problems.push({ offset: offsetOf(key), problem: 'at __proto__: no name; allowed: any other' });
    },
  });
  return problems;
}

function locate(document: Document.Parsed, path: readonly PropertyKey[]): { node: Node | null; offset: number } {
  const resolved = (node: unknown): Node | null => {
    const found = isAlias(node) ? node.resolve(document) : node;
    return isNode(found) ? found : null;
  };
  let node: Node | null = document.contents;
  let offset = offsetOf(node);
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value ?? '') === String(step));
      if (pair === undefined) return { node: null, offset };
      node = resolved(pair.value);
      offset = offsetOf(last || node === null ? pair.key : pair.value, offset);
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      node = resolved(item);
      offset = offsetOf(item, offset);
    } else {
      return { node: null, offset };
    }
  }
  return { node, offset };
}

function offsetOf(node: unknown, otherwise = 0): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? otherwise;
}

function invalid(offset: number, message: string): YamlProblem {
  return { offset, problem: `not valid YAML: ${message}` };
}
