/** A letter in words: what people and other programs have named themselves stays what it is, text. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createWording } from '../../src/mail/letters.ts';
import { loadTexts } from '../../src/pages/kit/texts.ts';

const texts = loadTexts(join(import.meta.dirname, '../../views/texts'));
const word = createWording({
  catalogue: () => texts,
  issuer: 'https://id.example.com',
  brandName: 'Example',
});
const linked = (provider: string) =>
  word({
    kind: 'identity-linked',
    to: 'ada@example.org',
    locale: 'en',
    path: '/account/identities',
    values: { username: 'ada', provider },
  });

test('a line break in a name is none in the subject, which is a header of the mail', () => {
  const { subject } = linked('Works\r\nBcc: thief@evil.example\u2028');
  expect(subject).toBe('Works Bcc: thief@evil.example  was connected with your account at Example');
});

test('markup in a name is text in the HTML', () => {
  const { text, html } = linked('<img src="https://evil.example">');
  expect(text).toContain('<img src="https://evil.example">');
  expect(html).not.toContain('<img');
  expect(html).toContain('&lt;img src=&quot;https://evil.example&quot;&gt;');
});
