/** The rules of our own that every compiled template keeps. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { ACCESS_RULES } from './template-access-rules.ts';
import { FUNCTION_RULES } from './template-function-rules.ts';
import { NAME_RULES } from './template-name-rules.ts';
import { STORAGE_RULES } from './template-storage-rules.ts';

/** A breach, and of what: a statement's Sid or a resource's logical id, by which it may be excused. */
export interface Finding {
  subject: string;
  text: string;
}

export type Rule = (template: Template, stage: string) => Finding[];

export const RULES: Record<string, Rule> = { ...ACCESS_RULES, ...STORAGE_RULES, ...FUNCTION_RULES, ...NAME_RULES };
