/** What the proxy is to strangers and to browsers: https alone, the issuer's own addresses, nothing of the inside. */
import { wholeTable } from '../../../dev/routes-reference.ts';
import { hold, type Report } from '../report.ts';
import { Browser } from './browser.ts';
import type { World } from './world.ts';

export async function checkProxy({ check }: Report, { site }: World): Promise<void> {
  const browser = new Browser(site, '127.0.0.4');

  await check('discovery shows the issuer, and nothing but its addresses', async () => {
    const { status, text } = await browser.go('/.well-known/openid-configuration');
    hold(status === 200, `${status} ${text}`);
    const document = JSON.parse(text) as Record<string, unknown>;
    hold(document.issuer === site.issuer, `the issuer is ${document.issuer}`);
    const endpoints = Object.entries(document).filter(([name]) => /_(endpoint|uri)$/.test(name));
    const others = endpoints.filter(([, value]) => !String(value).startsWith(`${site.issuer}/`));
    hold(endpoints.length >= 5 && others.length === 0, JSON.stringify(others));
    return site.issuer;
  });

  await check('http is answered by a redirect to https alone', async () => {
    const { status, location, cookies } = await browser.go('/login?x=1', { plain: true, follow: false });
    hold(status === 308 && location === `${site.issuer}/login?x=1` && cookies.length === 0, `${status} ${location}`);
  });

  await check('every cookie is for https, and browsers are told to stay with it', async () => {
    const { status, cookies, headers } = await new Browser(site, '127.0.0.4').go('/login', { follow: false });
    const further = await new Browser(site, '127.0.0.4').go('/sign-up', { follow: false });
    const all = [...cookies, ...further.cookies];
    hold(all.length > 0 && all.every((line) => /; secure/i.test(line)), `${status} ${all.join('\n')}`);
    hold(/max-age=\d{7}/.test(String(headers['strict-transport-security'])), 'without Strict-Transport-Security');
  });

  await check('a redirect stays on the issuer, whatever the request says of host and scheme', async () => {
    const forged = {
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example;proto=http',
    };
    for (const host of [new URL(site.issuer).host, 'evil.example']) {
      const { status, location } = await browser.go('/account', { headers: { ...forged, host }, follow: false });
      const target = location === undefined ? undefined : URL.parse(location, site.issuer);
      hold(status >= 300 && status < 400 && target?.origin === site.issuer, `${status} ${location}`);
    }
  });

  await check('the metrics and the development pages are not there', async () => {
    const hidden = (await wholeTable()).filter(({ access }) => access === 'developer' || access === 'operator');
    hold(hidden.length >= 5, `${hidden.length} addresses`);
    for (const { path } of hidden) {
      const { status } = await browser.go(path.replaceAll(/:\w+/g, 'x'), { follow: false });
      hold(status === 404, `${path} answers ${status}`);
    }
  });
}
