import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactBody, redactText } from './redaction.js';

const KIB_64 = 64 * 1024;
const FORM = 'application/x-www-form-urlencoded';
const RUNS = { numRuns: 400 };

function redact(text: string, options: Parameters<typeof redactBody>[2] = {}): string {
  return redactBody(Buffer.from(text), KIB_64, options).toString();
}

const sensitiveName = fc.constantFrom(
  'password',
  'passwd',
  'client_secret',
  'accessToken',
  'Authorization',
  'api_key',
  'apiKey',
  'APIKEY',
  'x-api-key',
  'access_key',
  'privateKey',
  'aws-credentials',
);
/** Long enough not to stand in a text by chance, and with everything that needs an escape somewhere. */
const secretText = fc
  .string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'aZ9"\'\\/&=%+,;:{}[]<> \n\té€😀') })
  .map((text) => `S3cr3t${text}S3cr3t`);
const filler = fc.string({ maxLength: 30, unit: fc.constantFrom(...'ab"\'\\/&=%,:{}[] \né') });

/** A text with every character as `\uXXXX`. */
function escapedFully(text: string): string {
  return text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Ways to write a JSON text whose strings all say the same. */
const spelling = fc.constantFrom(
  (json: string) => json,
  (json: string) => json.replaceAll('S3cr3t', escapedFully('S3cr3t')),
  (json: string) => json.replaceAll('/', String.raw`\/`),
  (json: string) => json.replaceAll(/[a-z](?=[A-Za-z_]*"\s*:)/gi, (letter) => escapedFully(letter)),
);

/** Puts a JSON text into strings of other JSON texts. */
function wrapped(json: string, times: number): string {
  let text = json;
  for (let i = 0; i < times; i++) text = JSON.stringify({ payload: text, other: 'x' });
  return text;
}

/** What is left, and what it says once escapes are undone: whoever keeps it could do that. */
function everyReading(left: string): string {
  const readings = [left];
  for (let round = 0; round < 6; round++) {
    const text = readings[round]!.replaceAll(/\\u([0-9a-f]{4})/gi, (_match, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
      .replaceAll('\\\\', '\\')
      .replaceAll(/%([0-9A-F]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    readings.push(text);
  }
  return readings.join('\n');
}

describe('redactBody: whatever the secret and wherever it stands, nothing of it is left', () => {
  it('in a member named like a credential, however deep, escaped, and often wrapped', () => {
    fc.assert(
      fc.property(sensitiveName, secretText, filler, spelling, fc.integer({ min: 0, max: 3 }), (...given) => {
        const [name, secret, around, spell, times] = given;
        const value = { before: around, list: [{ [name]: secret, after: around }], last: 1 };
        expect(everyReading(redact(wrapped(spell(JSON.stringify(value)), times)))).not.toContain('S3cr3t');
      }),
      RUNS,
    );
  });

  it('in an object or list under such a name', () => {
    fc.assert(
      fc.property(sensitiveName, secretText, fc.integer({ min: 0, max: 2 }), (name, secret, times) => {
        const value = { [name]: { list: [secret, '}', { deep: secret }] }, kept: 'kept text' };
        const left = redact(wrapped(JSON.stringify(value), times));
        expect(everyReading(left)).not.toContain('S3cr3t');
        expect(left).toContain('kept text');
      }),
      RUNS,
    );
  });

  it('when it is one of the texts given, anywhere, in any spelling', () => {
    fc.assert(
      fc.property(secretText, filler, spelling, fc.integer({ min: 0, max: 3 }), (...given) => {
        const [secret, around, spell, times] = given;
        const text = wrapped(spell(JSON.stringify({ note: `${around}${secret}${around}` })), times);
        expect(everyReading(redact(text, { secrets: [secret] }))).not.toContain('S3cr3t');
        expect(
          everyReading(
            redact(`${around}${secret}${around}`, { secrets: [secret], contentType: 'text/plain' }),
          ),
        ).not.toContain('S3cr3t');
      }),
      RUNS,
    );
  });

  it('in a field of a form, or in JSON that is one', () => {
    fc.assert(
      fc.property(sensitiveName, secretText, filler, fc.integer({ min: 0, max: 2 }), (...given) => {
        const [name, secret, around, times] = given;
        const json = wrapped(JSON.stringify({ a: around, [name]: secret }), times);
        const form = new URLSearchParams([
          ['first', around],
          [name, secret],
          [`user[${name}]`, secret],
          ['payload', json],
        ]).toString();
        expect(everyReading(redact(form, { contentType: FORM }))).not.toContain('S3cr3t');
        expect(everyReading(redact(form))).not.toContain('S3cr3t');
        const note = new URLSearchParams({ note: `${around}${secret}` }).toString();
        expect(everyReading(redact(note, { secrets: [secret], contentType: FORM }))).not.toContain('S3cr3t');
      }),
      RUNS,
    );
  });

  it('when the body is cut within it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 80 }), fc.boolean(), (before, isMember) => {
        const secret = 'S3cr3t-and-more-of-it-up-to-the-end-S3cr3t';
        const padding = 'x'.repeat(KIB_64 - before);
        const text = isMember ? `{"a":"${padding}","token":"${secret}"}` : `${padding}${secret}`;
        const left = redactBody(Buffer.from(text), KIB_64, { secrets: isMember ? [] : [secret] });
        expect(left.length).toBeLessThanOrEqual(KIB_64);
        expect(left.toString()).not.toContain('S3');
      }),
      RUNS,
    );
  });

  it('with any bytes around it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (before, after) => {
        const key = 'qk_0123456789abcdef_S3cr3tS3cr3t';
        const body = Buffer.concat([before, Buffer.from(`${key} `), after]);
        expect(redactBody(body, KIB_64).toString('latin1')).not.toContain('S3cr3t');
      }),
      RUNS,
    );
  });
});

describe('redactText of what the service itself says', () => {
  const said = "It is by none of the source's secrets: check the token: it was sent with";

  it('leaves words that only look like members', () => {
    expect(redactText(said, 1024, { isProse: true })).toBe(said);
    expect(redactText(said, 1024)).not.toBe(said);
  });

  it('still blots out keys of ours, and the texts given', () => {
    const options = { isProse: true, secrets: ['correct horse'] };
    const redacted = redactText(`${said} qk_ab12_Secret-part and correct horse.`, 1024, options);
    expect(redacted).toBe(`${said} [redacted] and [redacted].`);
  });
});

describe('redactBody', () => {
  it('blots out keys and signing secrets of ours', () => {
    expect(redact('{"a":"qk_12ab_Zz-_9","b":["whsec_AbC+/=","whsk_AbC+/="]}')).toBe(
      '{"a":"[redacted]","b":["[redacted]","[redacted]"]}',
    );
    expect(redact(String.raw`{"a":"qk\u005f12ab_Zz"}`)).toBe('{"a":"[redacted]"}');
  });

  it('leaves the rest as it was, and well-formed JSON as such', () => {
    const text = String.raw`{"order": 7, "password" : "a\"b\\", "note": "a \"quoted\" text", "nested": "{\"token\":\"x\\\"y\"}"}`;
    expect(redact(text)).toBe(
      String.raw`{"order": 7, "password" : "[redacted]", "note": "a \"quoted\" text", "nested": "{\"token\":\"[redacted]\"}"}`,
    );
  });

  it('leaves a body without credentials as it is, byte for byte', () => {
    const bytes = Buffer.from([0, 255, 128, 34, 92, 117, 13, 10, 61, 58, 37]);
    expect(redactBody(bytes, KIB_64)).toEqual(bytes);
    expect(redactBody(Buffer.alloc(0), KIB_64)).toHaveLength(0);
  });

  it('reads what is no JSON and no form', () => {
    expect(redact('password: hunter2\nuser: me')).toBe('password: [redacted]\nuser: me');
    expect(redact('{"password": hunter2, "user": "me"')).toBe('{"password": [redacted], "user": "me"');
    expect(redact('it\'s 5" long {"secret": "hunter2"')).toBe('it\'s 5" long {"secret": "[redacted]"');
    expect(redact('{"url":"https://a.example/?token=abc&page=2"}')).toBe(
      '{"url":"https://a.example/?token=[redacted]&page=2"}',
    );
  });

  it('keeps the beginning only', () => {
    expect(redactBody(Buffer.alloc(1024 * 1024, 'x'), KIB_64)).toHaveLength(KIB_64);
  });

  it('comes to an end soon with texts that are made to be slow', () => {
    const units = [
      'token',
      '\\',
      '\\\\"',
      '"',
      '{"token":[',
      'token  ',
      '"token":"',
      '%22',
      'a=%5c&',
      'qk_',
      'token=',
      "token='",
      '[{',
      '\\u005c',
      '&',
    ];
    for (const unit of units) {
      const body = Buffer.from(unit.repeat((80 * 1024) / unit.length));
      for (const contentType of [FORM, 'application/json']) {
        expect(redactBody(body, KIB_64, { contentType }).length).toBeLessThanOrEqual(KIB_64);
      }
    }
  });
});

describe('redactText', () => {
  it('is for short texts, such as what an answer said', () => {
    expect(redactText('the type "qk_12ab_secret" is unknown', 100)).toBe('the type "[redacted]" is unknown');
    expect(redactText('x'.repeat(300), 100)).toHaveLength(100);
  });
});
