/** The stage that was asked for, if resources can be named after it. */
const { checkedStage } = require('./stage.ts');

module.exports.stage = ({ options }) => checkedStage(options.stage ?? 'dev');
