/** Which method answers a path: literal segments win over `{name}`, and those over the greedy `{name+}`. */
import type { RouteMatch } from './event.ts';
import type { Api, Method } from './model.ts';

export type Router = (httpMethod: string, path: string) => RouteMatch | null;

interface Node {
  literals: Map<string, Node>;
  parameter: { name: string; node: Node } | null;
  greedy: { name: string; node: Node } | null;
  methods: Map<string, Method>;
}

/** `null` when no resource has the path, or the resource not the method: the gateway answers both alike. */
export function createRouter(api: Api): Router {
  const root = createNode();
  for (const method of api.methods) insert(root, method);
  return (httpMethod, path) => {
    const found = match(root, segmentsOf(path), {});
    const method = found?.node.methods.get(httpMethod) ?? found?.node.methods.get('ANY');
    return found === null || method === undefined ? null : { method, pathParameters: found.parameters };
  };
}

function insert(root: Node, method: Method): void {
  let node = root;
  for (const segment of segmentsOf(method.resourcePath)) {
    const [, name, plus] = /^\{([^}+]+)(\+?)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      const child = node.literals.get(segment) ?? createNode();
      node.literals.set(segment, child);
      node = child;
    } else if (plus === '+') {
      node.greedy ??= { name, node: createNode() };
      node = node.greedy.node;
    } else {
      node.parameter ??= { name, node: createNode() };
      node = node.parameter.node;
    }
  }
  node.methods.set(method.httpMethod, method);
}

function match(
  node: Node,
  segments: readonly string[],
  parameters: Record<string, string>,
): { node: Node; parameters: Record<string, string> } | null {
  const [first, ...rest] = segments;
  if (first === undefined) return node.methods.size > 0 ? { node, parameters } : null;
  const literal = node.literals.get(first);
  const byLiteral = literal === undefined ? null : match(literal, rest, parameters);
  if (byLiteral !== null) return byLiteral;
  if (node.parameter !== null && first !== '') {
    const byParameter = match(node.parameter.node, rest, { ...parameters, [node.parameter.name]: first });
    if (byParameter !== null) return byParameter;
  }
  const greedy = segments.join('/');
  if (node.greedy === null || greedy === '') return null;
  return { node: node.greedy.node, parameters: { ...parameters, [node.greedy.name]: greedy } };
}

function segmentsOf(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

function createNode(): Node {
  return { literals: new Map(), parameter: null, greedy: null, methods: new Map() };
}
