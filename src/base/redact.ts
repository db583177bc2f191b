/** Removes secrets from text for logs and records: passwords in parameters and URLs, credentials, tokens, JWTs. */

export const removed = '[removed]';

const secretParameter =
  /([?&;\s"'{,]|^)((?:client_|new_|current_)?(?:password|secret|assertion|code|token)|code_verifier|(?:access_|refresh_|id_|subject_|actor_)token|id_token_hint|user_code|device_code|otp)=[^&\s"']*/gi;
const credentials = /\b(Bearer:?|Basic|DPoP)\s+[\w~+/.:=-]{6,}/gi;
const jwt = /\beyJ[\w-]{5,1000}(?:\.[\w-]*){1,4}/g;
const urlPassword = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@]*):[^\s/@]+@/gi;

/** Longer texts are cut first, so that the size of untrusted input does not decide how long this takes. */
const textMax = 8192;

/** Replaces secrets in `whole` and cuts it to 8,192 characters. */
export function withoutSecrets(whole: string): string {
  const text = whole.length > textMax ? `${whole.slice(0, textMax)}…` : whole;
  return text
    .replace(secretParameter, `$1$2=${removed}`)
    .replace(credentials, `$1 ${removed}`)
    .replace(jwt, removed)
    .replace(urlPassword, `$1:${removed}@`);
}
