/**
 * The kinds of value a setting can have: how each is read from text, and how its form is described.
 * Hand-written because zod would add 30 ms and 19 MB to every start.
 */
import { type Stats, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';

export interface Kind<T> {
  /** Completes the sentence "wanted: …". */
  readonly wanted: string;
  /** The value, or `undefined` when the text is not one. The text is trimmed and never empty. */
  readonly parse: (text: string) => T | undefined;
}

export function wholeNumber(min: number, max: number, unit = ''): Kind<number> {
  return {
    wanted: `a whole number${unit && ` of ${unit}`} from ${min} to ${max}`,
    parse: (text) => {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

export const seconds = (min: number, max: number): Kind<number> => wholeNumber(min, max, 'seconds');

export const port: Kind<number> = wholeNumber(1, 65_535);

export const flag: Kind<boolean> = {
  wanted: '`true` or `false`',
  parse: (text) => (/^(true|1|yes|on)$/i.test(text) ? true : /^(false|0|no|off)$/i.test(text) ? false : undefined),
};

export function oneOf<const T extends string>(...choices: readonly [T, ...T[]]): Kind<T> {
  return {
    wanted: `one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`,
    parse: (text) => choices.find((choice) => choice === text),
  };
}

export function text(max: number): Kind<string> {
  return {
    wanted: `a line of at most ${max} characters`,
    parse: (value) => (value.length <= max && !/\p{Cc}/u.test(value) ? value : undefined),
  };
}

export function secret(min: number): Kind<string> {
  return { wanted: `at least ${min} characters`, parse: (value) => (value.length >= min ? value : undefined) };
}

/** Several values, so that both keys work while one replaces the other. */
export function secrets(min: number): Kind<readonly string[]> {
  return {
    wanted: `one or more values of at least ${min} characters, separated by commas`,
    parse: (value) => {
      const parts = list(value);
      return parts.length > 0 && parts.every((part) => part.length >= min) ? parts : undefined;
    },
  };
}

export function urlWith(...schemes: readonly string[]): Kind<string> {
  return {
    wanted: `an address that begins with ${schemes.map((scheme) => `\`${scheme}://\``).join(' or ')}`,
    parse: (value) => {
      const url = URL.parse(value);
      return url && url.hostname !== '' && schemes.includes(url.protocol.slice(0, -1)) ? value : undefined;
    },
  };
}

const redisAddress = urlWith('redis', 'rediss');

export const redisUrl: Kind<string> = {
  wanted: `${redisAddress.wanted}, with \`%25\` for a percent sign`,
  parse: (value) => (isEncoded(value) ? redisAddress.parse(value) : undefined),
};

/** A mail server; `?tls=` sets how much TLS it must use. */
export const smtpUrl: Kind<string> = {
  wanted:
    'an address that begins with `smtp://` or `smtps://`, with `%25` for a percent sign, and optionally `?tls=required` or `?tls=unverified`',
  parse: (value) => {
    const url = isEncoded(value) ? URL.parse(value) : null;
    if (!url || url.hostname === '' || !/^smtps?:$/.test(url.protocol)) return undefined;
    return /^\/?$/.test(url.pathname) && /^(\?tls=(required|unverified))?$/.test(url.search) ? value : undefined;
  },
};

/**
 * The sender of a mail: an address, or a name and an address. It goes into headers, so it is one line and one address.
 */
export const mailbox: Kind<string> = {
  wanted: 'an e-mail address, or a name and an address as in `Example <mail@example.com>`',
  parse: (value) => {
    const [, address = value] = /^[^<>",;:@\p{Cc}]{1,80}<([^<>]+)>$/u.exec(value) ?? [];
    return /^[^\s@<>()[\]",:;\\]+@[^\s@<>()[\]",:;\\]+$/.test(address) && address.length <= 254 ? value : undefined;
  },
};

/**
 * Issuers are compared character by character (RFC 8414, section 2), so this keeps one form: scheme, host, and the
 * port unless it is the default.
 */
export const origin: Kind<string> = {
  wanted: 'an http or https address without a path, a query or a fragment',
  parse: (value) => {
    const url = URL.parse(value);
    if (!url || !/^https?:$/.test(url.protocol)) return undefined;
    return url.href === `${url.origin}/` && !/[?#\\\s]/.test(value) ? url.origin : undefined;
  },
};

export const origins: Kind<readonly string[]> = {
  wanted: `${origin.wanted}, or several separated by commas`,
  parse: (value) => {
    const read = list(value).map(origin.parse);
    const good = read.filter((one) => one !== undefined);
    return good.length > 0 && good.length === read.length ? good : undefined;
  },
};

export const httpsOrigin: Kind<string> = {
  wanted: 'an https address without a path, a query or a fragment',
  parse: (value) => (/^https:/i.test(value) ? origin.parse(value) : undefined),
};

/** A host name or address to listen on. */
export const host: Kind<string> = {
  wanted: 'a host name or an IP address',
  parse: (value) => (isIP(value) || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(value) ? value : undefined),
};

export const file: Kind<string> = {
  wanted: 'the path of a file that exists',
  parse: (path) => (statOf(path)?.isFile() ? resolve(path) : undefined),
};

export const folder: Kind<string> = {
  wanted: 'the path of a folder that exists',
  parse: (path) => (statOf(path)?.isDirectory() ? resolve(path) : undefined),
};

/** A folder that is made if needed. */
export const newFolder: Kind<string> = {
  wanted: 'the path of a folder, which is made if need be',
  parse: (path) => {
    const found = statOf(path);
    return found === undefined || found.isDirectory() ? resolve(path) : undefined;
  },
};

/** `all`, `none`, or names; the composition root checks the names. */
export const names: Kind<'all' | readonly string[]> = {
  wanted: '`all`, `none`, or names separated by commas',
  parse: (value) => {
    if (value === 'all') return 'all';
    if (value === 'none') return [];
    const parts = list(value);
    return parts.length > 0 && parts.every((part) => /^[a-z][a-z0-9-]*$/.test(part)) ? parts : undefined;
  },
};

export type TrustProxy =
  | { readonly kind: 'off' }
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** Which `X-Forwarded-*` headers are trusted: none, those of the last n proxies, or those of these addresses. */
export const trustProxy: Kind<TrustProxy> = {
  wanted: '`off`, the number of proxies in front (1 to 10), or their addresses or CIDR ranges separated by commas',
  parse: (value) => {
    if (value === 'off') return { kind: 'off' };
    if (/^\d+$/.test(value)) {
      const hops = Number(value);
      return hops >= 1 && hops <= 10 ? { kind: 'hops', hops } : undefined;
    }
    const addresses = list(value);
    return addresses.length > 0 && addresses.every(isAddressRange) ? { kind: 'addresses', addresses } : undefined;
  },
};

function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Addresses and networks in CIDR notation. */
export const networks: Kind<readonly string[]> = {
  wanted: 'addresses or CIDR ranges separated by commas',
  parse: (value) => {
    const addresses = list(value);
    return addresses.length > 0 && addresses.every(isAddressRange) ? addresses : undefined;
  },
};

/** Whether the user and password in the URL can be decoded (RFC 3986, section 2.1). */
function isEncoded(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** Returns undefined if the path does not exist or cannot be read. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function list(value: string): readonly string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
