/** SIGTERM: a connection in use is not cut off, it ends with its next answer. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createPlace, startChild } from '../support/child-server.ts';

test.each(['/readyz', '/.well-known/openid-configuration'])(
  'the next %s after the signal is answered',
  async (path) => {
    const place = await createPlace();
    const server = await startChild(place);
    try {
      const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`;
      const socket = connect(server.port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString();
      });
      socket.on('error', (error) => {
        received += error.message;
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      // Once to have a connection that is kept, a second time because then the documents are ready.
      for (let times = 1; times <= 2; times += 1) {
        socket.write(request);
        while ((received.match(/HTTP\/1\.1 200/g) ?? []).length < times) await sleep(5);
      }
      expect(received).not.toContain('Connection: close');

      server.process.kill('SIGTERM');
      await sleep(50);
      socket.write(request);
      await closed;
      expect(received.match(/HTTP\/1\.1 \d+|Connection: close|ECONNRESET|EPIPE/g)?.slice(2)).toEqual([
        path === '/readyz' ? 'HTTP/1.1 503' : 'HTTP/1.1 200',
        'Connection: close',
      ]);
      expect(await server.ended).toEqual({ code: 0, signal: null });
    } finally {
      await server.end();
      place.close();
    }
  },
);
