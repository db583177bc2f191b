/** The form of tenant members in the file, and the rules between them (used by tenants.ts). */
import { printable } from '../../base/printable.ts';

/** The place of a tenant's id in a template. */
export const tenantPart = '{tenantid}';
/** A tenant's id: Entra uses UUIDs. Excludes characters that could end a part of an address. */
export const tenantShape = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** If any tenant is allowed, addresses cannot be trusted, because anyone can create a tenant. */
export function brokenTenants({
  issuer,
  issuer_template: template,
  tenants,
  trust_email: trust,
}: {
  readonly [member: string]: unknown;
}): [string, string][] {
  if (template === undefined && tenants === undefined) return [];
  if (template === undefined) return [['issuer_template', 'nothing, with tenants']];
  if (tenants === undefined) return [['tenants', 'nothing, with issuer_template']];
  const parts = typeof template === 'string' ? template.split(tenantPart) : [];
  const [filled, own] = [URL.parse(parts.join('a')), typeof issuer === 'string' ? URL.parse(issuer) : null];
  const good =
    parts.length === 2 && filled !== null && filled.origin === own?.origin && !/[?#\\\s]/.test(parts.join(''));
  if (!good) return [['issuer_template', printable(String(template))]];
  return tenants === 'any' && trust === true ? [['trust_email', 'true, with tenants: any']] : [];
}
