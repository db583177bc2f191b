/** An MCP server that knows nothing of tokens: the gateway in front of it says who calls. Prints its address. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';

const http = createServer(async (req, res) => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Who calls, as the gateway says.' }, async () => {
    const { headers } = req;
    const who = {
      username: headers['x-gatehouse-username'],
      scope: headers['x-gatehouse-scope'],
      client: headers['x-gatehouse-client'],
      token: headers.authorization !== undefined,
    };
    return { content: [{ type: 'text', text: JSON.stringify(who) }] };
  });
  const transport = new NodeStreamableHTTPServerTransport({});
  await server.connect(transport);
  await transport.handleRequest(req, res);
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`LISTENS http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
