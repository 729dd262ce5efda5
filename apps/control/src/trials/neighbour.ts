import { Problem } from '@quittance/contracts';
import { clientSpan, type ActiveSpan } from '@quittance/telemetry';

/** One request to another service of this installation. */
export interface NeighbourRequest {
  method: 'GET' | 'POST';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
  /** For the whole exchange. */
  timeoutMs: number;
}

export interface NeighbourAnswer {
  status: number;
  contentType: string;
  /** Whole, unless it is longer than 4 MiB: then its beginning. */
  body: string;
}

/** A story holds the event's data, at most 1 MiB, as JSON. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Another service of this installation, at the address that the configuration names. */
export class Neighbour {
  constructor(
    private readonly name: 'ingest' | 'audit',
    private readonly origin: string,
  ) {}

  /**
   * Any answer resolves, also one that refuses. Redirects are not followed.
   * @throws Problem `service_unavailable`
   */
  async ask(request: NeighbourRequest, parent: ActiveSpan): Promise<NeighbourAnswer> {
    const { method, path, headers, body, timeoutMs } = request;
    const url = `${this.origin}${path}`;
    const span = clientSpan(method, url, { parent: parent.context });
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers, ...span.context },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && { body: new Uint8Array(body) }),
      });
      span.setAttribute('http.response.status_code', response.status);
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? '',
        body: await textOf(response),
      };
    } catch (error) {
      span.fail('service_unavailable', error instanceof Error ? error.message : undefined);
      throw new Problem(
        'service_unavailable',
        `The service "${this.name}" cannot be reached from here. Try again; if that does not help, whoever runs this installation has to look at QUITTANCE_${this.name.toUpperCase()}_URL.`,
        {},
        { 'retry-after': '2' },
      );
    } finally {
      span.end();
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body === null) return '';
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop cancels the rest.
    if (size >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString();
}

/** An answer's body, parsed where it is JSON. */
export function parsed({ contentType, body }: NeighbourAnswer): unknown {
  if (!/[/+]json\b/i.test(contentType)) return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
