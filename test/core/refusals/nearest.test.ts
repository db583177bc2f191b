import { describe, expect, test } from '@jest/globals';
import { editDistance, nearestUri, nearestWord } from '../../../src/core/refusals/nearest.ts';

describe('the nearest word', () => {
  test.each([
    ['authorisation_code', 'authorization_code'],
    ['refresh-token', 'refresh_token'],
    ['client_credential', 'client_credentials'],
    ['REFRESH_TOKEN', 'refresh_token'],
  ])('%s is a slip of %s', (received, meant) => {
    expect(nearestWord(received, ['client_credentials', 'authorization_code', 'refresh_token'])).toBe(meant);
  });

  test('what resembles nothing has no nearest word', () => {
    expect(nearestWord('password', ['authorization_code', 'refresh_token'])).toBeUndefined();
    expect(nearestWord('', ['a-long-word'])).toBeUndefined();
    expect(nearestWord('x'.repeat(100_000), ['y'.repeat(100_000)])).toBeUndefined();
  });

  test('a swap of two letters counts as one slip', () => {
    expect(editDistance('clinet', 'client')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('same', 'same')).toBe(0);
  });
});

describe('the nearest redirect URI', () => {
  const registered = ['https://app.example/callback', 'https://app.example/other', 'http://localhost:8080/cb'];

  test.each([
    ['https://app.example/callback/', 'https://app.example/callback', 'Remove the trailing slash'],
    ['http://app.example/callback', 'https://app.example/callback', 'The scheme differs'],
    ['https://app.example:8443/callback', 'https://app.example/callback', 'The port differs'],
    ['https://app.example/Callback', 'https://app.example/callback', 'The case of the path differs'],
    ['https://app.example/callback?x=1', 'https://app.example/callback', 'The query differs'],
    ['https://app.example/callback#top', 'https://app.example/callback', 'The fragment differs'],
    ['https://APP.example/callback', 'https://app.example/callback', 'Only the encoding or the case differs'],
    ['https://app.example/%63allback', 'https://app.example/callback', 'The path differs'],
    ['http://localhost:9090/cb', 'http://localhost:8080/cb', 'The port differs'],
    ['https://app2.example/callback', 'https://app.example/callback', 'The host differs'],
  ])('%s means %s', (received, meant, advice) => {
    expect(nearestUri(received, registered)).toMatchObject({ uri: meant, advice: expect.stringContaining(advice) });
  });

  test('of several parts, all that differ are named', () => {
    expect(nearestUri('http://app.example:1/callback', ['https://app.example/callback'])?.advice).toBe(
      'The scheme and the port differ: send the registered address, or register this one too.',
    );
  });

  test('nothing registered: nothing near; what is no address is compared as text', () => {
    expect(nearestUri('https://app.example/', [])).toBeUndefined();
    expect(nearestUri('callback', registered)?.uri).toBeDefined();
  });
});
