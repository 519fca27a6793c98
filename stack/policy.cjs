/** What the template takes from policy.yml: the KMS keys that roles must reach. */
const { compilePolicy, namedKeyArns } = require('./policy.ts');

module.exports.kmsKeys = async ({ resolveVariable }) => [
  { 'Fn::GetAtt': ['Key', 'Arn'] },
  ...namedKeyArns(compilePolicy(await resolveVariable('param:policy'))),
];
