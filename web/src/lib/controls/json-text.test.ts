import { describe, expect, it } from 'vitest';
import { readDocument, readJson } from './json-text.ts';

describe('a document somebody types', () => {
  it.each([
    '{}',
    ' { "relay" : true , "n": -1.5e3, "t":"a\\"\\u00e9\\n", "l": [1, [true], {"k": "v"}], "o": {"in": {}} } ',
    '{"gone": null, "o": {"gone": null}}',
  ])('is read as JSON.parse reads it: %s', (text) => {
    expect(readDocument(text)).toEqual({ value: JSON.parse(text), fault: null });
  });

  it.each([
    ['', 1, 1, 'A document begins with {'],
    ['[1]', 1, 1, 'A document begins with {'],
    ['{\n  "relay": true\n  "mode": "eco"\n}', 3, 3, 'A comma or the closing } is missing here'],
    ['{\n  "relay": true,\n}', 2, 16, 'This comma is one too many'],
    ['{"l": [1,]}', 1, 9, 'This comma is one too many'],
    ['{relay: true}', 1, 2, 'A key stands in double quotes'],
    ["{'relay': true}", 1, 2, 'A key stands in double quotes'],
    ['{"t": \'x\'}', 1, 7, 'Text stands in double quotes'],
    ['{"relay" true}', 1, 10, 'A colon is missing'],
    ['{"relay": yes}', 1, 11, 'A value is text'],
    ['{"relay": True}', 1, 11, 'A value is text'],
    ['{"t": "abc', 1, 7, 'The closing quote'],
    ['{"t": "a\\x"}', 1, 9, '\\x means nothing'],
    ['{"t": "\\u12"}', 1, 8, 'four hexadecimal digits'],
    ['{"relay": true', 1, 15, 'The closing } is missing'],
    ['{"relay": true} x', 1, 17, 'Something follows'],
    ['{"n": 01}', 1, 7, 'no number'],
    ['{"n": 1e101}', 1, 7, 'too large'],
    ['{"n": }', 1, 7, 'A value is text'],
    ['{"a": {"1x": 1}}', 1, 8, '"1x" cannot be a key'],
    ['{"my key": 1}', 1, 2, '"my key" cannot be a key'],
    ['{"constructor": 1}', 1, 2, 'cannot be a key'],
    ['{"__proto__": 1}', 1, 2, 'cannot be a key'],
    ['{"a": 1, "a": 2}', 1, 10, 'stands here twice'],
    ['{"l": [1, null]}', 1, 11, 'in a list it has no meaning'],
    ['{"l": [{"k": null}]}', 1, 14, 'in a list it has no meaning'],
    [`{"t": "${'é'.repeat(513)}"}`, 1, 7, 'at most 1024 bytes'],
    ['{"t": "\\u0000"}', 1, 7, 'cannot be stored'],
    [`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`, 1, 41, 'At most 8 levels'],
  ])('is refused at its exact place: %s', (text, line, column, message) => {
    const { fault } = readDocument(text);
    expect(fault).toMatchObject({ line, column });
    expect(fault!.message).toContain(message);
  });

  it('may nest eight levels deep', () => {
    expect(readDocument(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`).fault).toBeNull();
    expect(readDocument(`{"a":${'['.repeat(7)}${']'.repeat(7)}}`).fault).toBeNull();
    expect(readDocument(`{"a":${'['.repeat(8)}${']'.repeat(8)}}`).fault).toMatchObject({ column: 13 });
  });

  it('never becomes a prototype', () => {
    const { value } = readJson('{"__proto__": {"admin": true}}');
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('the payload of a command', () => {
  it.each(['1', '"x"', 'null', '[1, null]', '{"any key": 1}', 'true'])(
    'may be any JSON value: %s',
    (text) => {
      expect(readJson(text)).toEqual({ value: JSON.parse(text), fault: null });
    },
  );

  it('is refused at its place, too, however deep it nests', () => {
    expect(readJson('{"seconds": 30,}').fault).toMatchObject({ line: 1, column: 15 });
    expect(readJson('['.repeat(100_000)).fault!.message).toContain('levels');
  });
});
