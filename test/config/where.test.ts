/** S1: which issuer may be developed on, and where a server listens that was told nothing. */
import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.ts';
import { type Environment, loadConfig } from '../../src/config/load.ts';
import { describeMistakes } from '../../src/config/mistakes.ts';

const production = { NODE_ENV: 'production' };
const publicly = { ISSUER: 'https://id.example.com' };
const tunnel = 'https://tunnel.example';

function load(environment: Environment): Config {
  const loaded = loadConfig(environment);
  if (!loaded.ok) throw new Error(describeMistakes(loaded.mistakes));
  return loaded.config;
}

function mistakes(environment: Environment): readonly string[] {
  const loaded = loadConfig(environment);
  return loaded.ok ? [] : loaded.mistakes.map(({ name, given, wanted }) => `${name}: ${given}: ${wanted}`);
}

describe('development', () => {
  test.each(['', 'http://localhost:8080', 'http://127.0.0.1:3000', 'http://[::1]', 'https://gate.localhost'])(
    'S1: on %j it has pages',
    (ISSUER) => {
      expect(load({ ISSUER })).toMatchObject({ development: true, developmentPages: true });
      expect(load({ ISSUER, ...production })).toMatchObject({ development: false, developmentPages: false });
    },
  );

  test.each(['https://id.example.com', 'http://192.168.0.4:3000', 'http://localhost.example.com', 'http://0.0.0.0'])(
    'S1: on %s a server without NODE_ENV=production does not start',
    (ISSUER) => {
      for (const NODE_ENV of ['', 'development', 'test'])
        expect(mistakes({ ISSUER, NODE_ENV })).toEqual([
          expect.stringMatching(/^NODE_ENV: .*: production, because ISSUER is/),
        ]);
    },
  );

  test('S1: what is proposed can be followed: DEVELOPMENT_ON is proposed for an https issuer only', () => {
    expect(mistakes({ ISSUER: tunnel })).toEqual([expect.stringContaining(`DEVELOPMENT_ON=${tunnel}`)]);
    expect(mistakes({ ISSUER: 'http://192.168.0.4:3000' })).not.toEqual([expect.stringContaining('DEVELOPMENT_ON')]);
  });

  test('S1: DEVELOPMENT_ON names the very issuer: then it starts, without pages', () => {
    const config = load({ ISSUER: tunnel, DEVELOPMENT_ON: `${tunnel}:443/` });
    expect(config).toMatchObject({ issuer: tunnel, development: true, developmentPages: false, host: undefined });
    expect(config.mail.goes).toBe('terminal');
  });

  test.each<Environment>([
    { ISSUER: tunnel, DEVELOPMENT_ON: 'https://other.example' },
    { ISSUER: tunnel, DEVELOPMENT_ON: `${tunnel}:8443` },
    { ISSUER: 'http://tunnel.example', DEVELOPMENT_ON: tunnel },
    { ISSUER: 'http://tunnel.example', DEVELOPMENT_ON: 'http://tunnel.example' },
    { ISSUER: tunnel, DEVELOPMENT_ON: 'true' },
    { ISSUER: tunnel, DEVELOPMENT_ON: tunnel, ...production },
    { DEVELOPMENT_ON: tunnel },
  ])('S1: refused, as a mistake of DEVELOPMENT_ON: %j', (environment) => {
    expect(mistakes(environment)).toEqual([expect.stringMatching(/^DEVELOPMENT_ON: /)]);
  });

  test('S1: all of it is reported with everything else', () => {
    const all = mistakes({ ...publicly, PORT: 'x', WORKERS: '2', DATABASE_URL: '' });
    expect(all.map((line) => line.slice(0, line.indexOf(':'))).sort()).toEqual(['NODE_ENV', 'PORT', 'WORKERS']);
  });
});

describe('where it listens', () => {
  test('S1: on localhost where the issuer is loopback, otherwise on all addresses; HOST wins', () => {
    expect(load({}).host).toBe('localhost');
    expect(load(production).host).toBe('localhost');
    expect(load({ ...production, ISSUER: 'http://gate.localhost:3000' }).host).toBe('localhost');
    expect(load({ ...production, ...publicly }).host).toBeUndefined();
    expect(load({ ...production, ...publicly, HOST: '127.0.0.1' }).host).toBe('127.0.0.1');
    expect(load({ HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
  });

  test.each([
    ['http://127.0.0.1:3000', '127.0.0.1'],
    ['http://127.1:3000', '127.0.0.1'],
    ['http://127.0.0.2', '127.0.0.2'],
    ['http://[::1]:3000', '::1'],
  ])('S1: at %s, where localhost may be another address', (ISSUER, host) => {
    expect(load({ ISSUER }).host).toBe(host);
    expect(load({ ISSUER, ...production }).host).toBe(host);
  });

  test.each(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '0', '10.1.2.3', 'gatehouse', 'fe80::1%eth0'])(
    'S1: production on %s needs an issuer that was set',
    (HOST) => {
      expect(mistakes({ ...production, HOST })).toEqual([expect.stringMatching(/^ISSUER: nothing: .*because HOST is/)]);
      expect(mistakes({ ...production, HOST, ISSUER: 'http://localhost:3000' })).toEqual([]);
      expect(mistakes({ ...production, ...publicly, HOST })).toEqual([]);
    },
  );
  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.0.0.53', '::1', '0:0:0:0:0:0:0:1', 'gate.localhost'])(
    'S1: production on %s needs none',
    (HOST) => expect(mistakes({ ...production, HOST })).toEqual([]),
  );
});

test('S1: where mails go', () => {
  const goes = (environment: Environment) => load(environment).mail.goes;
  expect(goes({})).toBe('page');
  expect(goes({ SMTP_URL: 'smtp://127.0.0.1' })).toBe('smtp');
  expect(goes(production)).toBe('nowhere');
  const several = { WORKERS: '2', DATABASE_URL: 'postgres://db/x', SECRET_KEY: 'x'.repeat(40) };
  expect(goes(several)).toBe('terminal');
});
