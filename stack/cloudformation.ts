/** The words of a CloudFormation template that the builders of this folder use. Pure. */

/** Text that CloudFormation may still have to make. */
export type Text = string | { Ref: string } | { 'Fn::Sub': string } | { 'Fn::GetAtt': [string, string] };

/** Operator → condition key → values. */
export type Condition = Record<string, Record<string, Text | Text[]>>;

export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Principal?: '*' | { AWS: Text } | { Service: string };
  Action: string[];
  Resource?: Text | Text[];
  NotResource?: Text[];
  Condition?: Condition;
}

export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: Statement[];
}

export interface Resource {
  Type: string;
  DependsOn?: string | string[];
  DeletionPolicy?: 'RetainExceptOnCreate';
  UpdateReplacePolicy?: 'Retain';
  Properties: Record<string, unknown>;
}

/** What one concern adds to the template. */
export interface Part {
  Parameters?: Record<string, { Type: 'String'; Default: string; Description: string; AllowedPattern?: string }>;
  Resources?: Record<string, Resource>;
  Outputs?: Record<string, { Value: Text; Description: string }>;
}

/** What holds data or keys, and what guards it, is never deleted with the stack, but for what a failed first deployment made: its names would be taken at the next try. */
export const retained = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' } as const;

export const ref = (name: string): Text => ({ Ref: name });
export const att = (resource: string, attribute: string): Text => ({ 'Fn::GetAtt': [resource, attribute] });

/** `${Name}` in it is CloudFormation's. */
export function sub(text: string): Text {
  const [, alone] = /^\$\{([\w:]+)\}$/.exec(text) ?? [];
  if (alone !== undefined) return ref(alone);
  return text.includes('${') ? { 'Fn::Sub': text } : text;
}

export const policyDocument = (statements: Statement[]): PolicyDocument => ({ Version: '2012-10-17', Statement: statements });

/** Statements for `resources`, which must be reached by TLS 1.2 or newer: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html */
export function tlsOnly(actions: string[], resources: Text | Text[]): Statement {
  return {
    Sid: 'OnlyByTls',
    Effect: 'Deny',
    Principal: '*',
    Action: actions,
    Resource: resources,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}
