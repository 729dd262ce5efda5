import { createHmac, randomUUID } from 'node:crypto';
import { EVENT_TYPE, plainData } from './payload.ts';

/** What a source of the measurement proves its requests with. */
export const SCHEMES = ['bearer', 'github', 'stripe', 'standard-webhooks'] as const;
export type Scheme = (typeof SCHEMES)[number];

export interface InboundRequest {
  headers: string[];
  body: string;
}

const KEY_BYTES = Buffer.alloc(32, 'quittance-bench-');
/** As the provider would give it out. */
export const SECRET = `whsec_${KEY_BYTES.toString('base64')}`;

/** Every source reads the type from the same place and finds no id, so that only what proves the sender differs. */
export function sourceOf(scheme: Scheme | 'none'): { spec: object; secrets?: object } {
  return {
    spec: {
      verify: { type: scheme },
      type: { value: EVENT_TYPE },
      id: { expression: 'string(body.n) + "-" + headers["x-bench-run"]' },
    },
    ...(scheme !== 'none' && { secrets: { verify: [SECRET] } }),
  };
}

/** Requests that are signed already: signing must not compete with what is measured. */
export function signedRequests(scheme: Scheme, count: number, bytes: number): InboundRequest[] {
  const run = randomUUID().slice(0, 8);
  return Array.from({ length: count }, (_, n) => {
    const body = plainData(n, bytes);
    return {
      headers: ['content-type', 'application/json', 'x-bench-run', run, ...proofOf(scheme, body)],
      body,
    };
  });
}

function proofOf(scheme: Scheme, body: string): string[] {
  const seconds = Math.floor(Date.now() / 1000);
  const hmac = (key: string | Buffer, content: string, encoding: 'hex' | 'base64'): string =>
    createHmac('sha256', key).update(content).digest(encoding);
  switch (scheme) {
    case 'bearer':
      return ['authorization', `Bearer ${SECRET}`];
    case 'github':
      return [
        'x-hub-signature-256',
        `sha256=${hmac(SECRET, body, 'hex')}`,
        'x-github-delivery',
        randomUUID(),
        'x-github-event',
        'push',
      ];
    case 'stripe':
      return ['stripe-signature', `t=${seconds},v1=${hmac(SECRET, `${seconds}.${body}`, 'hex')}`];
    case 'standard-webhooks': {
      const id = `msg_${randomUUID()}`;
      const signature = hmac(KEY_BYTES, `${id}.${seconds}.${body}`, 'base64');
      return ['webhook-id', id, 'webhook-timestamp', String(seconds), 'webhook-signature', `v1,${signature}`];
    }
  }
}
