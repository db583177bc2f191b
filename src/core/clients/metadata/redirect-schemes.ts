/**
 * Private-use schemes of redirect URIs (RFC 8252, section 7.1). A reversed domain name shows its owner. Any application
 * can claim a scheme without a dot, so only those of widely used applications are allowed; an operator may add others
 * to one client.
 */

/** Each with a source: documentation, or a report of the redirect URI. */
const knownSchemes: ReadonlySet<string> = new Set([
  // cursor://anysphere.cursor-mcp/oauth/callback: https://cursor.com/docs/mcp
  'cursor',
  // vscode://publisher.extension: https://code.visualstudio.com/api/references/vscode-api#env (uriScheme)
  'vscode',
  // Insiders builds of it: github.com/microsoft/vscode, extensions/microsoft-authentication (desktop callback schemes)
  'vscode-insiders',
  // vscodium://publisher.extension: github.com/sourcegraph/cody/issues/3119
  'vscodium',
  // windsurf://publisher.extension: github.com/Mermaid-Chart/issue-tracker/issues/145
  'windsurf',
  // raycast://oauth?package_name=Extension: https://developers.raycast.com/api-reference/oauth
  'raycast',
  // obsidian://plugin-action: https://help.obsidian.md/uri
  'obsidian',
]);

/** Schemes that browsers or systems handle: the application would not get the code, or a page would run it. */
const neverSchemes: ReadonlySet<string> = new Set([
  // Schemes of the web, and what a browser runs or shows: https://fetch.spec.whatwg.org/#fetch-scheme,
  // https://html.spec.whatwg.org.
  'about',
  'blob',
  'data',
  'file',
  'filesystem',
  'http',
  'https',
  'javascript',
  'vbscript',
  'view-source',
  'ftp',
  'ftps',
  'ws',
  'wss',
  'content',
  'intent',
  'android-app',
  'jar',
  'res',
  'resource',
  'shell',
  'chrome',
  'chrome-extension',
  'moz-extension',
  'safari-web-extension',
  'edge',
  'opera',
  'brave',
  // Safelisted for handlers of web pages: https://html.spec.whatwg.org/multipage/system-state.html#safelisted-scheme
  'bitcoin',
  'geo',
  'im',
  'irc',
  'ircs',
  'magnet',
  'mailto',
  'matrix',
  'mms',
  'news',
  'nntp',
  'openpgp4fpr',
  'sftp',
  'sip',
  'sms',
  'smsto',
  'ssh',
  'tel',
  'urn',
  'webcal',
  'wtai',
  'xmpp',
  // Programs of the system that take commands or files from a URI.
  'ldap',
  'mhtml',
  'mk',
  'ms-appinstaller',
  'ms-msdt',
  'ms-settings',
  'rdp',
  'search',
  'search-ms',
  'smb',
  'telnet',
  'vnc',
]);

/** RFC 3986, section 3.1, in lower case. `web+…` belongs to web pages. */
const form = /^(?!web\+)[a-z][a-z0-9+.-]{1,63}$/;

/** Why an operator cannot add the scheme, or undefined. */
export function schemeMistake(scheme: string): string | undefined {
  if (!form.test(scheme)) return 'must be schemes in small letters, without a colon';
  return neverSchemes.has(scheme) ? 'must not have a scheme that browsers or systems handle' : undefined;
}

/** `added`: schemes that an operator has added to this client. */
export function isPrivateUseScheme(scheme: string, added: readonly string[] = []): boolean {
  if (neverSchemes.has(scheme)) return false;
  const reversedDomain = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+$/.test(scheme);
  return reversedDomain || knownSchemes.has(scheme) || added.includes(scheme);
}
