/** Of whom a resource's policy speaks. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
import { PARTITION } from '../account.ts';
import { PolicyError } from './policy-error.ts';

export interface Principals {
  /** `NotPrincipal`. */
  not: boolean;
  /** `"Principal": "*"`, or `*` among the AWS ones. */
  anyone: boolean;
  /** Whole accounts, by their root's ARN. */
  accounts: ReadonlySet<string>;
  /** Users, roles and sessions of roles, by ARN. */
  arns: ReadonlySet<string>;
  /** e.g. `s3.amazonaws.com` */
  services: ReadonlySet<string>;
}

const ACCOUNT = /^\d{12}$/;
const ROOT = /^arn:[\w-]+:iam::\d{12}:root$/;
const ARN = /^arn:[\w-]+:(iam::\d{12}:(user|role)\/[^*?]+|sts::\d{12}:assumed-role\/[^*?]+)$/;
const SERVICE = /^[a-z0-9.-]+\.amazonaws\.com$/;

/** @throws PolicyError for principals other than accounts, users, roles, sessions and services, and for wildcards within one */
export function parsePrincipals(statement: Record<string, unknown>, at: string): Principals {
  const { Principal, NotPrincipal } = statement;
  if ((Principal === undefined) === (NotPrincipal === undefined)) throw new PolicyError(`${at} needs one of Principal and NotPrincipal.`);
  const not = Principal === undefined;
  if (not && statement.Effect === 'Allow') throw new PolicyError(`NotPrincipal of ${at} does not go with Allow.`);
  const given = Principal ?? NotPrincipal;
  const none = { not, anyone: false, accounts: new Set<string>(), arns: new Set<string>(), services: new Set<string>() };
  if (given === '*') return { ...none, anyone: true };
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new PolicyError(`The Principal of ${at} is * or an object.`);
  const kinds = Object.entries(given);
  if (kinds.length === 0) throw new PolicyError(`The Principal of ${at} is empty.`);
  return kinds.reduce<Principals>((principals, [kind, value]) => add(principals, kind, textsOf(value, at), at), none);
}

function add(principals: Principals, kind: string, values: readonly string[], at: string): Principals {
  switch (kind) {
    case 'AWS':
      return values.reduce((all, value) => addAws(all, value, at), principals);
    case 'Service': {
      const unknown = values.find((value) => !SERVICE.test(value));
      if (unknown !== undefined) throw new PolicyError(`The service ${unknown} of ${at} is not a service principal.`);
      return { ...principals, services: new Set([...principals.services, ...values]) };
    }
    default:
      throw new PolicyError(`The Principal ${kind} of ${at} is not known: AWS and Service are.`);
  }
}

function addAws(principals: Principals, value: string, at: string): Principals {
  if (value === '*') return { ...principals, anyone: true };
  if (ACCOUNT.test(value)) return addAws(principals, `arn:${PARTITION}:iam::${value}:root`, at);
  if (ROOT.test(value)) return { ...principals, accounts: new Set([...principals.accounts, value]) };
  if (!ARN.test(value)) throw new PolicyError(`The Principal ${value} of ${at} is not an account, user, role or session.`);
  return { ...principals, arns: new Set([...principals.arns, value]) };
}

function textsOf(value: unknown, at: string): string[] {
  return (Array.isArray(value) ? value : [value]).map((one) => {
    if (typeof one !== 'string') throw new PolicyError(`The Principal of ${at} is not text.`);
    return one;
  });
}
