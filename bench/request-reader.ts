/** A request of HTTP/1.1, read whole. */
export interface WholeRequest {
  path: string;
  body: Buffer;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Cuts the bytes of one connection into requests. It knows what our own clients send, a length before each body, and
 * nothing else of HTTP: the subscriber that a measurement runs against has to leave the machine to what is measured.
 */
export class RequestReader {
  private rest: Buffer | undefined;

  /**
   * @returns the requests that are whole by now, in their order
   * @throws Error when the bytes are none, or the request is too large: nothing can be read behind it
   */
  read(chunk: Buffer): WholeRequest[] {
    let bytes = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    const requests: WholeRequest[] = [];
    for (;;) {
      const headEnd = bytes.indexOf(END_OF_HEAD);
      if (headEnd < 0 && bytes.length > MAX_HEAD_BYTES) throw new Error('A request has no end of its head.');
      if (headEnd < 0) break;
      const { path, length } = parsedHead(bytes.toString('latin1', 0, headEnd));
      const bodyAt = headEnd + END_OF_HEAD.length;
      if (bytes.length < bodyAt + length) break;
      requests.push({ path, body: bytes.subarray(bodyAt, bodyAt + length) });
      bytes = bytes.subarray(bodyAt + length);
    }
    this.rest = bytes.length > 0 ? bytes : undefined;
    return requests;
  }
}

function parsedHead(head: string): { path: string; length: number } {
  const [, path] = /^[A-Z]+ (\S+) HTTP\/1\.1(?:\r\n|$)/.exec(head) ?? [];
  const [, digits] = /\r\ncontent-length: *(\d{1,9})(?:\r\n|$)/i.exec(head) ?? [];
  if (path === undefined || /\r\ntransfer-encoding:/i.test(head))
    throw new Error('A request cannot be read.');
  const length = Number(digits ?? 0);
  if (length > MAX_BODY_BYTES) throw new Error('A request is too large.');
  return { path, length };
}
