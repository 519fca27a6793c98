/** What stands in a function's role, and the same with one grant less. */
import type { World } from './world.ts';

type Deployed = Pick<World, 'stack'>;

interface Grants {
  Sid: string;
  Action: string[];
}

/** Every action of every statement. */
export function grantsOf(world: Deployed, name: string): { Sid: string; action: string }[] {
  return statementsOf(world, name).flatMap(({ Sid, Action }) => Action.map((action) => ({ Sid, action })));
}

function policiesOf(world: Deployed, name: string): Record<string, { Statement: Grants[] }> {
  const { access, functions } = world.stack.sandbox.services;
  const role = access.findRole(functions.get(`${world.stack.env.SEALDROP_STACK}-${name}`).roleArn);
  return (role?.policies ?? {}) as Record<string, { Statement: Grants[] }>;
}

function statementsOf(world: Deployed, name: string): Grants[] {
  return Object.values(policiesOf(world, name)).flatMap(({ Statement }) => Statement);
}

/** Takes one action out of one statement of a function's role for as long as `work` takes. */
export async function withoutGrant(world: Deployed, name: string, sid: string, action: string, work: () => Promise<void>): Promise<void> {
  const { access, functions } = world.stack.sandbox.services;
  const role = access.findRole(functions.get(`${world.stack.env.SEALDROP_STACK}-${name}`).roleArn);
  if (role === null) throw new Error(`${name} has no role`);
  const left = statementsOf(world, name)
    .map((statement) => (statement.Sid === sid ? { ...statement, Action: statement.Action.filter((held) => held !== action) } : statement))
    .filter(({ Action }) => Action.length > 0);
  access.deleteRole(role.name);
  access.putRole(role.name, role.trustPolicy, { left: { Version: '2012-10-17', Statement: left } });
  try {
    await work();
  } finally {
    access.deleteRole(role.name);
    access.putRole(role.name, role.trustPolicy, role.policies);
  }
}
