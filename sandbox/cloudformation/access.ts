/** Roles and their policies, as deployments put them. */
export { type Access, openAccess, type RoleRecord, roleArn } from '../iam/access.ts';
