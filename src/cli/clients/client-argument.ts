/** The application that a command names. */
import type { InvalidMetadata } from '../../core/clients/metadata/client-metadata.ts';
import { type Arg, type Outcome, refused } from '../command.ts';

export const idArg: Arg = { name: '<id>', sentence: 'The client id.' };

export const noClient = (id: string): Outcome => refused('not_found', `There is no client ${id}. See: clients list`);

export const invalid = ({ error, description }: InvalidMetadata): Outcome =>
  refused(error, `The client was refused: ${description}.`);

export const described = (id: string): Outcome =>
  refused(
    'described',
    `The document at ${id} describes this application, so it stays unreviewed and only its owner can change it. ` +
      'To stop it, disable it. To trust one, register it: clients register mcp-client',
  );
