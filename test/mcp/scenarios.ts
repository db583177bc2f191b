/** What is tried: an agent of an SDK, and how the server knows it. */
import { join } from 'node:path';
import { folder, python } from './install.ts';

export interface Sdk {
  readonly name: string;
  readonly language: 'node' | 'python';
  readonly command: readonly [string, ...string[]];
}

export const sdks: readonly Sdk[] = [
  { name: 'TypeScript SDK', language: 'node', command: [process.execPath, join(folder, 'programs/agent.ts')] },
  { name: 'Python SDK', language: 'python', command: [python, join(folder, 'programs/agent.py')] },
];

/** Members of the metadata of the authorization server. */
export type Discovery = Readonly<Record<string, unknown>>;

export interface Known {
  readonly name: string;
  /** Why it cannot be tried at a server with this metadata. */
  readonly missing: (discovery: Discovery) => string | undefined;
  /** The agent's environment. */
  readonly env: (given: {
    readonly clientId: string;
    readonly metadataUrl: string;
  }) => Readonly<Record<string, string>>;
}

export const ways: readonly Known[] = [
  {
    name: 'registered by an operator',
    missing: () => undefined,
    env: ({ clientId }) => ({ CLIENT_ID: clientId }),
  },
  {
    name: 'by registration',
    missing: ({ registration_endpoint: endpoint }) =>
      endpoint === undefined ? 'the server registers no one' : undefined,
    env: () => ({}),
  },
  {
    name: 'by metadata document',
    missing: ({ client_id_metadata_document_supported: supported }) =>
      supported === true ? undefined : 'the server reads no metadata documents',
    env: ({ metadataUrl }) => ({ METADATA_URL: metadataUrl }),
  },
];
