/** `clients pin`: an operator's copy of a client's document. */

import { nameOf, presented } from '../clients/client-text.ts';
import { type Command, done, refused, via } from '../command.ts';
import { readJsonObject } from '../json-file.ts';
import { UsageError } from '../usage-error.ts';

export const pin: Command = {
  name: 'pin',
  sentence: 'Use a copy of the document that describes an application, instead of the one at its address.',
  args: [{ name: '<url>', sentence: 'The client id: the address of the document.' }],
  options: [
    { flags: '--file <path>', sentence: 'The document, as JSON; `-` reads standard input.' },
    { flags: '--release', sentence: 'Fetch the document from its address again.' },
  ],
  details:
    'For a vendor whose server refuses requests from yours, or whose changes you want to see first. The copy is checked as a fetched one, and ' +
    'the application stays unreviewed. Running servers use it within a second, if MCP is on.',
  examples: [
    'clients pin https://agent.example/client.json --file client.json',
    'clients pin https://agent.example/client.json --release',
  ],
  async run(call) {
    const [id = ''] = call.args;
    const file = call.text('file');
    const release = call.flag('release') === true;
    if ((file === undefined) === !release) throw new UsageError('Give either --file PATH or --release.');
    const core = await call.core();
    if (file === undefined) {
      if (!(await core.metadataClients.unpin(id)))
        return refused('not_found', `No copy of a document is pinned for ${id}. See: clients list`);
      await core.audit.record('client.document_released', { clientId: id, detail: via });
      return done({ client_id: id, pinned: false }, `The document of ${id} is fetched again.`);
    }
    const pinned = await core.metadataClients.pin(id, await readJsonObject(file, call.terminal));
    if (pinned.outcome === 'invalid')
      return refused('invalid_client_metadata', `The copy was refused. ${pinned.reason}`);
    await core.audit.record('client.document_pinned', { clientId: id, detail: via });
    const { client } = pinned;
    return done(presented(client), `${nameOf(client)} (${id}) uses this copy of its document.`);
  },
};
