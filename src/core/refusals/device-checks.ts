/** Checks of the device flow, of the device and of the person who enters its code. Part of checks.ts. */
import { type Check, check } from './check.ts';

export const deviceChecks = {
  device_code_unknown: check(
    'RFC 8628, section 3.5',
    'There is no such device code.',
    'Send the device_code exactly as received. The user_code is for the person.',
  ),
  device_code_expired: check(
    'RFC 8628, section 3.5',
    'The device code has expired.',
    'Begin again, and show the new code. DEVICE_CODE_TTL sets how long a code works.',
  ),
  device_code_used: check(
    'RFC 6749, section 4.1.2',
    'The device code was used before. Everything issued from it has ended.',
    'Stop polling after the tokens have come. Only one process may poll.',
  ),
  device_code_of_another_client: check(
    'RFC 6749, section 5.2',
    'The device code was issued to another client.',
    'Poll with the client that began.',
  ),
  device_code_ended: check(
    'RFC 6749, section 5.2',
    'The session, the grant or the account of the device code has ended.',
    'Begin again, and show the new code.',
  ),
  device_denied: check(
    'RFC 8628, section 3.5',
    'The person refused the device.',
    'Stop polling. Let the person begin again.',
  ),
  device_too_fast: check(
    'RFC 8628, section 3.5',
    'The device polls too often.',
    'Wait for the interval between two polls. Each slow_down adds 5 seconds to it for good.',
  ),
  device_throttled: check(
    'RFC 8628, section 5.1',
    'Public clients of this address began too many device codes.',
    'Begin once, and poll until the code expires.',
  ),
  user_code_unknown: check(
    'RFC 8628, section 5.1',
    'No device shows this code.',
    'Compare the code with the device. A code works for a few minutes.',
  ),
  user_code_expired: check('RFC 8628, section 3.5', 'The code has expired.', 'Begin again on the device.'),
  user_code_used: check(
    'RFC 8628, section 5.1',
    'The code was used before, or another browser uses it.',
    'Continue in that browser, or begin again on the device.',
  ),
  user_code_throttled: check(
    'RFC 8628, section 5.1',
    'Too many wrong codes were entered.',
    'Wait, and compare the code with the device.',
  ),
} as const satisfies Record<string, Check>;
