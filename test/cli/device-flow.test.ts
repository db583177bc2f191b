/** docs/device-flow.md: its script registers a device and starts the program of the page, and a person allows it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { answer, press } from '../support/device.ts';
import { programsAreThere } from '../support/programs.ts';
import { buildPerson, startServer } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/device-flow.md'), 'utf8');
const script = /^```sh\n(ISSUER=.*?)^```$/ms.exec(page)?.[1] ?? '';

(programsAreThere(['bash', 'node']) ? test.each(['allow', 'deny'] as const) : test.skip.each([]))(
  'the script of the page: the person says %s, and the program tells what became of it',
  async (says) => {
    const server = await startServer({ env: { DEVICE_POLL_INTERVAL: '1' } });
    try {
      const person = await buildPerson(server);
      const { PATH = '', HOME = '' } = process.env;
      const env = { PATH, HOME, DATA_DIR: server.dataDir, ISSUER: server.url, PORT: String(server.port) };
      const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-s'], { cwd: root, env, stdio: 'pipe' });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      child.stdin.end(script.replaceAll('http://localhost:3000', server.url));
      let [out, err] = ['', ''];
      let walk: Promise<unknown> | undefined;
      child.stderr.setEncoding('utf8').on('data', (more: string) => {
        err += more;
      });
      child.stdout.setEncoding('utf8').on('data', (more: string) => {
        out += more;
        const [, address, code = ''] = /open (\S+) and enter ([A-Z-]{9})/.exec(out) ?? [];
        if (address !== undefined) walk ??= goThrough(new Agent(server), address, code);
      });
      const goThrough = async (agent: Agent, address: string, user_code: string) => {
        const shown = await press(agent, await agent.go(address), { user_code });
        expect(shown.text).toContain('DemoTV');
        await answer(agent, person, await press(agent, shown, { user_code, confirm: 'yes' }), says);
      };
      const code = await ended;
      await walk;
      expect([code, err]).toEqual([says === 'allow' ? 0 : 1, '']);
      expect(out).toContain(says === 'allow' ? `Signed in as ${person.username}.` : 'You refused.');
      // The QR code, between its border of blocks.
      expect(out.split('\n').filter((line) => line.includes('█')).length).toBeGreaterThan(15);
    } finally {
      await server.close();
    }
  },
);
