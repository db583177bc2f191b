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

export interface Known {
  readonly name: string;
  /** The agent's environment. */
  readonly env: (given: {
    readonly clientId: string;
    readonly metadataUrl: string;
  }) => Readonly<Record<string, string>>;
}

export const ways: readonly Known[] = [
  { name: 'registered by an operator', env: ({ clientId }) => ({ CLIENT_ID: clientId }) },
  { name: 'by registration', env: () => ({}) },
  { name: 'by metadata document', env: ({ metadataUrl }) => ({ METADATA_URL: metadataUrl }) },
];
