import { describe, expect, it } from 'vitest';
import { RequestReader } from './request-reader.ts';

const ONE = 'POST /a/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nx: y\r\n\r\nhello';
const TWO = 'POST /a/2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n';
const THREE = 'GET /a/3 HTTP/1.1\r\nhost: x\r\n\r\n';

const told = (chunks: string[]): string[] => {
  const reader = new RequestReader();
  return chunks.flatMap((chunk) =>
    reader.read(Buffer.from(chunk)).map(({ path, body }) => `${path} ${body.toString()}`),
  );
};

describe('the requests of a connection', () => {
  it('are the same wherever the bytes are cut', () => {
    const all = ONE + TWO + THREE + ONE;
    const expected = ['/a/1 hello', '/a/2 ', '/a/3 ', '/a/1 hello'];
    expect(told([all])).toEqual(expected);
    expect(told(all.split(''))).toEqual(expected);
    for (let cut = 1; cut < all.length; cut++) {
      expect(told([all.slice(0, cut), all.slice(cut)])).toEqual(expected);
    }
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n', /cannot be read/],
    ['POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', /cannot be read/],
    ['POST / HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n', /too large/],
    ['x'.repeat(70_000), /no end/],
  ])('are refused where they cannot be told apart: %j', (bytes, why) => {
    expect(() => told([bytes])).toThrow(why);
  });
});
