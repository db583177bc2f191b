/**
 * Text that has broken servers of this kind, in small (security.md 2.3, sets 1 to 6): what `npm run hostile` has at
 * length.
 */
export const hostileTexts: readonly string[] = [
  // Bytes and code points.
  ...['\ufeff', '\ufffe', '\u2028', '\u202e', '\u200d', '\u00ad', 'e\u0301', `a${'\u0301'.repeat(2000)}`],
  ...['İ', 'ı', 'ß', 'ſ', 'K', 'ａｄａ', '＠', '👩‍👩‍👧'],
  // Lengths.
  ...[255, 256, 1023, 1024, 1025, 4096].map((length) => 'x'.repeat(length)),
  // Other languages.
  ...[
    `' OR '1'='1`,
    `'); DROP TABLE--`,
    '$1',
    '?',
    '??',
    ':name',
    '%',
    '_',
    '\\',
    '{"$gt":""}',
    '{"raw":"1"}',
    '*)(uid=*',
  ],
  ...[';id', '`id`', ['$', '{7*7}'].join(''), '<%= 7*7 %>', '{{7*7}}', '#{7*7}', '<svg/onload=>', '../../etc/passwd'],
  // Names that objects have already.
  ...['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'then', '[object Object]', 'null', 'undefined', 'NaN'],
];

/** JSON that is no string and no object with the members that are asked for. */
export const otherTypes: readonly string[] = [
  ...['null', 'true', '0', '-0', '1e999', '9007199254740993', '[]', '{}', '["x"]', '{"toString":1}', '{"then":1}'],
  ...['{"length":-1}', '{"$gt":""}', '[[[[]]]]', '"2026-01-01T00:00:00Z"'],
];

/** Bodies that are no object in JSON, or one that no two readers understand alike. */
export const brokenJson: readonly (string | Buffer)[] = [
  ...[
    '',
    '{',
    '{"a":1,}',
    '{"a":1}x',
    "{'a':1}",
    '{a:1}',
    '{"a":NaN}',
    '{/**/}',
    '\ufeff{}',
    '{"a":"\u0001"}',
    'undefined',
  ],
  ...['null', 'true', '1', '"text"', '[]', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"\\udfff":1}', '{"a":1,"a":2}'],
  `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
  Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc0, 0x80, 0x22, 0x7d]),
  Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]),
  Buffer.from('{"a":1}', 'utf16le'),
];
