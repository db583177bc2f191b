/** SIGTERM: a connection in use is not cut off, it ends with its next answer. */
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
      const answers = () => received.match(/HTTP\/1\.1 \d+/g) ?? [];
      const ask = async (): Promise<void> => {
        const before = answers().length;
        socket.write(request);
        while (answers().length === before && !socket.destroyed) await nextTurn();
      };
      // Once to have a connection that is kept, a second time because then the documents are ready.
      for (let times = 1; times <= 2; times += 1) await ask();
      expect(answers()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
      expect(received).not.toContain('Connection: close');

      server.process.kill('SIGTERM');
      // Until the signal has been seen, answers are as before.
      while (!received.includes('Connection: close') && !socket.destroyed) await ask();
      await closed;
      const said = received.match(/HTTP\/1\.1 \d+|Connection: close|ECONNRESET|EPIPE/g) ?? [];
      expect(said.slice(-2)).toEqual([path === '/readyz' ? 'HTTP/1.1 503' : 'HTTP/1.1 200', 'Connection: close']);
      expect(await server.ended).toEqual({ code: 0, signal: null });
    } finally {
      await server.end();
      place.close();
    }
  },
);
