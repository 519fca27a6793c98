export { type CallListener, type FaultRoom, type Faults, type ObservedCall, OWN_SERVICE, openFaults } from './faults.ts';
export { type Fault, type FaultPlan, FaultPlanError, type FaultRule } from './plan.ts';
export { type FaultReport, formatReport, type RuleReport } from './report.ts';
