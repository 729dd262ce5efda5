import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { TraceContext } from '@quittance/contracts';
import { startSpan, type ActiveSpan } from './span.js';

export interface HttpSpanOptions {
  parent?: TraceContext | undefined;
  /** Further attributes; called only if the span is exported. */
  attributes?: () => Attributes;
}

/** `<METHOD> <route>`: a request that we answer. Set `http.response.status_code` on it; fail it for 5xx only. */
export function serverSpan(method: string, route: string, options: HttpSpanOptions = {}): ActiveSpan {
  return startSpan(`${method} ${route}`, {
    kind: SpanKind.SERVER,
    parent: options.parent,
    attributes: () => ({
      'http.request.method': method,
      'http.route': route,
      'url.path': route,
      'url.scheme': 'http',
      ...options.attributes?.(),
    }),
  });
}

/** `<METHOD>`: a request that we make. Credentials and query of the URL stay out of the trace. */
export function clientSpan(method: string, url: URL | string, options: HttpSpanOptions = {}): ActiveSpan {
  return startSpan(method, {
    kind: SpanKind.CLIENT,
    parent: options.parent,
    attributes: () => ({
      'http.request.method': method,
      ...addressAttributes(url),
      ...options.attributes?.(),
    }),
  });
}

function addressAttributes(address: URL | string): Attributes {
  const url = typeof address === 'string' ? URL.parse(address) : address;
  if (!url) return {};
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  return {
    'url.full': `${url.origin}${url.pathname}`,
    'server.address': url.hostname,
    'server.port': url.port === '' ? defaultPort : Number(url.port),
  };
}
