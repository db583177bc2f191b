"""The same with the Python SDK: see agent.ts."""

import asyncio
import os
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

server = os.environ["SERVER"]
port = int(os.environ["PORT"])
redirect_uri = f"http://127.0.0.1:{port}/callback"


def say(word, text):
    print(word, text, flush=True)


class Storage:
    def __init__(self):
        client_id = os.environ.get("CLIENT_ID")
        self.tokens = None
        self.client = None
        if client_id:
            self.client = OAuthClientInformationFull(
                client_id=client_id,
                redirect_uris=[redirect_uri],
                token_endpoint_auth_method="none",
                issuer=os.environ["ISSUER"],
            )

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client
        say("CLIENT", client.client_id)


async def main():
    loop = asyncio.get_running_loop()
    answered = loop.create_future()

    async def answer(reader, writer):
        line = (await reader.readline()).decode()
        while (await reader.readline()).strip():
            pass
        path = line.split(" ")[1]
        if path.startswith("/callback") and not answered.done():
            answered.set_result({name: values[0] for name, values in parse_qs(urlsplit(path).query).items()})
        page = b"<h1>Back at the agent</h1>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page)
        await writer.drain()
        writer.close()

    callback = await asyncio.start_server(answer, "127.0.0.1", port)

    async def redirect(address):
        say("AUTHORIZE", address)

    async def wait():
        parameters = await answered
        return AuthorizationCodeResult(
            code=parameters["code"], state=parameters.get("state"), iss=parameters.get("iss")
        )

    storage = Storage()
    metadata = OAuthClientMetadata(
        client_name="Python agent", redirect_uris=[redirect_uri], token_endpoint_auth_method="none"
    )

    async def ask():
        provider = OAuthClientProvider(
            server_url=server,
            client_metadata=metadata,
            storage=storage,
            redirect_handler=redirect,
            callback_handler=wait,
            client_metadata_url=os.environ.get("METADATA_URL"),
        )
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(httpx2.AsyncClient(auth=provider, timeout=60))
            client = await stack.enter_async_context(Client(streamable_http_client(server, http_client=http)))
            result = await client.call_tool("whoami", {})
            say("RESULT", result.content[0].text)

    await ask()
    await ask()
    callback.close()


asyncio.run(main())
