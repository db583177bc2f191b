/** The kinds of value that say what a client that registers itself may ask for. */
import type { Kind } from './kinds.ts';

function listOf(wanted: string, form: RegExp): Kind<readonly string[]> {
  return {
    wanted: `${wanted}, separated by spaces or commas`,
    parse: (text) => {
      const parts = text.split(/[\s,]+/).filter((part) => part !== '');
      return parts.length > 0 && parts.every((part) => form.test(part)) ? [...new Set(parts)] : undefined;
    },
  };
}

/** RFC 6749, section 3.3; a comma separates here. */
export const scopeNames = listOf('scopes', /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,200}$/);

export const redirectHosts = listOf(
  'host names in small letters, `*.example.com` for all hosts below one, or `loopback`',
  /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
);

/** Core refuses those that browsers handle (core/clients/metadata/redirect-schemes). */
export const schemes = listOf('schemes in small letters, without a colon', /^[a-z][a-z0-9+.-]{1,63}$/);
