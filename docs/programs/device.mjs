/**
 * A device without a browser signs a person in (RFC 8628): node docs/programs/device.mjs ISSUER CLIENT_ID [SCOPE]
 * It shows a code and a QR code, waits until the person has answered, and says who they are.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import encode from 'qr';

const [issuer, clientId, scope = 'openid profile offline_access'] = process.argv.slice(2);
if (!issuer || !clientId) throw new Error('Usage: node docs/programs/device.mjs ISSUER CLIENT_ID [SCOPE]');

const say = (text) => process.stdout.write(`${text}\n`);

/** Posts a form as the client, which is public. */
async function ask(address, form) {
  const body = new URLSearchParams({ client_id: clientId, ...form });
  const response = await fetch(address, { method: 'POST', body, headers: { 'user-agent': 'DemoTV/1.0' } });
  return response.json();
}

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const codes = await ask(metadata.device_authorization_endpoint, { scope });
if (codes.error) throw new Error(`${codes.error}: ${codes.error_description} (${codes.error_uri})`);

say(encode(codes.verification_uri_complete, 'ascii'));
say(`Scan the code, or open ${codes.verification_uri} and enter ${codes.user_code}`);

const device = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: codes.device_code };
let seconds = codes.interval ?? 5;
let answer;
do {
  await sleep(seconds * 1000);
  try {
    answer = await ask(metadata.token_endpoint, device);
    if (answer.error === 'slow_down') seconds += 5;
  } catch {
    // The network failed: ask again, less often.
    seconds *= 2;
  }
} while (answer === undefined || answer.error === 'authorization_pending' || answer.error === 'slow_down');

if (answer.error) {
  say({ access_denied: 'You refused.', expired_token: 'The code has expired.' }[answer.error] ?? answer.error);
  process.exit(1);
}
const headers = { authorization: `Bearer ${answer.access_token}` };
const person = await (await fetch(metadata.userinfo_endpoint, { headers })).json();
say(`Signed in as ${person.preferred_username}.`);
