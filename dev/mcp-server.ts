/**
 * A small MCP server for development: docs/agents.md puts it behind the gateway. It knows nothing of tokens. Its one
 * tool says who calls, from the headers of the gateway.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly protocolVersion?: string };
}

const whoami = { name: 'whoami', description: 'Says who calls.', inputSchema: { type: 'object' } };

function resultOf({ method, params }: Message, headers: IncomingHttpHeaders): object | undefined {
  switch (method) {
    case 'initialize': {
      const protocolVersion = params?.protocolVersion ?? '2025-11-25';
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'sample', version: '1.0.0' } };
    }
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: [whoami] };
    case 'tools/call': {
      const caller = `${headers['x-gatehouse-username'] ?? 'a program'}, with ${headers['x-gatehouse-scope'] ?? 'no scope'}`;
      return { content: [{ type: 'text', text: caller }] };
    }
    default:
      return undefined;
  }
}

const server = createServer(async (req, res) => {
  // Without streams of its own, a server answers 405 to a GET (MCP, Streamable HTTP).
  if (req.method !== 'POST') return res.writeHead(405, { Allow: 'POST' }).end();
  let message: Message;
  try {
    message = Object(JSON.parse(await text(req)));
  } catch {
    return res.writeHead(400).end();
  }
  // A notification has no id, and no answer.
  if (message.id === undefined) return res.writeHead(202).end();
  const result = resultOf(message, req.headers);
  const failed = { error: { code: -32601, message: 'this sample has no such method' } };
  res.writeHead(200, { 'Content-Type': 'application/json' });
  return res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...(result ? { result } : failed) }));
});
server.listen(Number(process.env.PORT ?? 8081), '127.0.0.1');
