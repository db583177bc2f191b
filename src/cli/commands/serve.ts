import type { Command } from '../command.ts';

export const serve: Command = {
  name: 'serve',
  sentence: 'Run the server, as npm start does.',
  details:
    'Settings are environment variables, described in docs/settings.md. SIGTERM and SIGINT finish open requests and stop the server.',
  examples: ['serve'],
  async run() {
    const server = await import('../../serve.ts');
    await server.serve(process.env);
    return { outcome: 'running' };
  },
};
