import { describe, expect, test } from 'vitest';
import { isTrue, referencesOf, resolve } from '../../../sandbox/cloudformation/intrinsics.ts';
import { deploymentOrder } from '../../../sandbox/cloudformation/order.ts';
import { createScope } from '../../../sandbox/cloudformation/scope.ts';
import { parseTemplate, resolveParameters } from '../../../sandbox/cloudformation/template.ts';

const template = parseTemplate({
  Parameters: { Stage: { Type: 'String', Default: 'dev' }, List: { Type: 'CommaDelimitedList', Default: 'a, b' } },
  Mappings: { Sizes: { dev: { small: 1, names: ['x', 'y'] } } },
  Conditions: {
    Yes: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
    No: { 'Fn::Not': [{ Condition: 'Yes' }] },
    Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
    Either: { 'Fn::Or': [{ Condition: 'No' }, { 'Fn::Equals': ['1', 1] }] },
    Circle: { 'Fn::Not': [{ Condition: 'Circle' }] },
  },
  Resources: {},
});
const deployed = new Map([['Queue', { physicalId: 'http://q', attributes: { Arn: 'arn:q', 'Endpoint.Address': 'here' } }]]);
const scope = createScope(template, 'stack', resolveParameters(template, {}), deployed);

describe('a value', () => {
  test.each<[unknown, unknown]>([
    ['plain', 'plain'],
    [{ Ref: 'Stage' }, 'dev'],
    [{ Ref: 'List' }, ['a', 'b']],
    [{ Ref: 'Queue' }, 'http://q'],
    [{ Ref: 'AWS::Region' }, 'us-east-1'],
    [{ Ref: 'AWS::AccountId' }, '000000000000'],
    [{ Ref: 'AWS::StackName' }, 'stack'],
    [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:q'],
    [{ 'Fn::GetAtt': 'Queue.Arn' }, 'arn:q'],
    [{ 'Fn::GetAtt': 'Queue.Endpoint.Address' }, 'here'],
    [{ 'Fn::Sub': `\${Stage}-\${Queue.Arn}-\${AWS::Partition}-\${!Literal}` }, `dev-arn:q-aws-\${Literal}`],
    [{ 'Fn::Sub': [`\${Own}/\${Stage}`, { Own: { Ref: 'Stage' } }] }, 'dev/dev'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 1]] }, 'a-dev-1'],
    [{ 'Fn::Join': ['+', { Ref: 'List' }] }, 'a+b'],
    [{ 'Fn::Split': ['-', 'a-b'] }, ['a', 'b']],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['-', 'a-b'] }] }, 'b'],
    [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'small'] }, 1],
    [{ 'Fn::If': ['Yes', 'a', 'b'] }, 'a'],
    [{ 'Fn::If': ['No', 'a', { Ref: 'Stage' }] }, 'dev'],
    [{ 'Fn::Base64': 'x' }, 'eA=='],
    [{ a: { 'Fn::If': ['No', 1, { Ref: 'AWS::NoValue' }] }, b: [{ Ref: 'AWS::NoValue' }, 2] }, { b: [2] }],
    [
      { Ref: 'Stage', Other: 1 },
      { Ref: 'Stage', Other: 1 },
    ],
  ])('%j is %j', (value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  test.each<[unknown, string]>([
    [{ Ref: 'Nothing' }, 'refers to Nothing'],
    [{ 'Fn::GetAtt': ['Queue', 'Url'] }, 'Queue has no attribute Url. It has: Arn, Endpoint.Address.'],
    [{ 'Fn::ImportValue': 'x' }, 'does not know Fn::ImportValue. It knows: Ref,'],
    [{ 'Fn::Select': [2, ['a', 'b']] }, 'there is no item 2 of 2'],
    [{ 'Fn::FindInMap': ['Sizes', 'prod', 'small'] }, 'has nothing at prod.small'],
    [{ 'Fn::If': ['Missing', 1, 2] }, 'There is no condition Missing'],
    [{ 'Fn::If': ['Circle', 1, 2] }, 'Circle refers to itself'],
    [{ 'Fn::Join': ['-', 'text'] }, 'Fn::Join takes a list'],
    [{ 'Fn::Sub': `\${List}` }, 'is no text'],
  ])('%j is an error', (value, message) => {
    expect(() => resolve(value, scope)).toThrow(message);
  });
});

test('conditions combine', () => {
  const conditions = ['Yes', 'No', 'Both', 'Either'].map((name) => scope.condition(name));
  expect(conditions).toEqual([true, false, false, true]);
  expect(() => isTrue('yes', scope)).toThrow('must be true or false');
});

test('references are found in Ref, GetAtt and Sub, but not its own variables and literals', () => {
  const value = {
    a: [{ Ref: 'A' }, { 'Fn::GetAtt': ['B', 'x'] }, { 'Fn::GetAtt': 'C.x' }],
    b: { 'Fn::Sub': [`\${D} \${E.x} \${Own} \${!F}`, { Own: { Ref: 'G' } }] },
  };
  expect([...referencesOf(value)].sort()).toEqual(['A', 'B', 'C', 'D', 'E', 'G']);
});

describe('the order', () => {
  const order = (resources: Record<string, object>) => {
    const parsed = parseTemplate({
      Resources: Object.fromEntries(Object.entries(resources).map(([name, rest]) => [name, { Type: 'T', ...rest }])),
    });
    return deploymentOrder(parsed.Resources, new Set(['Off']));
  };

  test('puts what is referred to first, else keeps the order of the template', () => {
    expect(order({ A: { Properties: { x: { Ref: 'C' } } }, B: {}, C: { DependsOn: ['D'] }, D: {} })).toEqual(['D', 'C', 'A', 'B']);
  });
  test('names a circle', () => {
    expect(() =>
      order({
        X: { DependsOn: 'A' },
        A: { DependsOn: 'B' },
        B: { Properties: { 'Fn::Sub': `\${C}` } },
        C: { Properties: { 'Fn::GetAtt': 'A.Arn' } },
      }),
    ).toThrow('A → B → C → A');
  });
  test('refuses a DependsOn that names nothing, but not a resource whose condition is false', () => {
    expect(() => order({ A: { DependsOn: 'Nothing' } })).toThrow('A depends on Nothing');
    expect(order({ A: { DependsOn: 'Off' } })).toEqual(['A']);
  });
});

describe('parameters', () => {
  const limited = parseTemplate({
    Parameters: {
      Name: { Type: 'String' },
      Size: { Type: 'Number', Default: 1, AllowedValues: [1, 2] },
      Code: { Type: 'String', Default: 'abc', AllowedPattern: '[a-z]+' },
    },
    Resources: {},
  });

  test('take what is given, then the default', () => {
    expect(resolveParameters(limited, { Name: 'n', Size: '2' })).toEqual({ Name: 'n', Size: '2', Code: 'abc' });
  });
  test('say every problem at once', () => {
    expect(() => resolveParameters(limited, { Size: '3', Code: 'A', Other: 'x' })).toThrow(
      /Other is no parameter.*Name has no value.*Size must be one of 1, 2.*Code must match \[a-z\]\+/s,
    );
  });
});

test('a template with unknown members names the place', () => {
  expect(() => parseTemplate({ Resources: {}, Outputs: { Url: { Value: 'x', 'by the way': null } } })).toThrow(
    'Outputs.Url: Unrecognized key: "by the way"',
  );
});
