/**
 * The result of `PublicKeyCredential.toJSON()` (WebAuthn level 3, section 5.1). Lengths exceed those of the largest
 * known authenticators.
 */
import { z } from 'zod';

const binary = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[A-Za-z0-9_-]*$/);
/** At most 1023 bytes (section 4). */
const credentialId = binary(1364).min(16);

const clientData = z.object({
  type: z.string(),
  challenge: binary(512),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
});

/** The text of `clientDataJSON` and its parsed value; the bytes stay unchanged because they are signed. */
const clientDataJson = binary(8192).transform((text, context) => {
  try {
    return { text, read: clientData.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))) };
  } catch {
    context.addIssue('not the JSON of a client');
    return z.NEVER;
  }
});

const extensions = z.record(z.string(), z.unknown()).default({});

export const assertion = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: clientDataJson,
    authenticatorData: binary(4096),
    signature: binary(8192),
    userHandle: binary(128)
      .nullish()
      .transform((handle) => handle || undefined),
  }),
  clientExtensionResults: extensions,
});

export const credential = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: clientDataJson,
    attestationObject: binary(24_576),
    transports: z.array(z.string().max(32)).max(10).default([]),
  }),
  clientExtensionResults: extensions,
});

export type AssertionShape = z.infer<typeof assertion>;
export type CredentialShape = z.infer<typeof credential>;
