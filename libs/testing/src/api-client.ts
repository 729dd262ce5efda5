import type { ApiKeyScope, SourceSecretsInput } from '@quittance/contracts';

const REQUEST_TIMEOUT_MS = 20_000;

export interface ApiResponse {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON, else the text; `undefined` when empty. */
  body: unknown;
}

/** An API answered something else than success. */
export class UnexpectedAnswerError extends Error {
  constructor(
    readonly request: string,
    readonly response: ApiResponse,
  ) {
    super(`${request} was answered with ${response.status}: ${JSON.stringify(response.body)}`);
  }
}

export interface ApiClientOptions {
  controlUrl: string;
  ingestUrl: string;
  auditUrl: string;
  adminKey: string;
  namespace: string;
}

interface RequestOptions {
  key?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** The APIs of control, ingest and audit in one namespace, by plain `fetch`. */
export class ApiClient {
  readonly namespace: string;

  constructor(private readonly options: ApiClientOptions) {
    this.namespace = options.namespace;
  }

  /** @param schema JSON Schema of its data; none: any data is accepted */
  putEventType(name: string, schema?: unknown): Promise<Record<string, unknown>> {
    const versions = schema === undefined ? [] : [{ version: '1', schema }];
    return this.put(`event-types/${name}`, { spec: { versions } });
  }

  putSubscription(name: string, spec: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.put(`subscriptions/${name}`, { spec });
  }

  /** As control shows it: everything that is known of it. */
  async subscription(name: string): Promise<Record<string, unknown>> {
    return asObject(await this.expectSuccess('GET', this.controlUrl(`subscriptions/${name}`)));
  }

  /** `pause`, `resume`, `move`, … @returns the subscription as it is after that */
  async act(subscription: string, action: string, body: object = {}): Promise<Record<string, unknown>> {
    const url = this.controlUrl(`subscriptions/${subscription}/${action}`);
    return asObject(await this.expectSuccess('POST', url, { body }));
  }

  /** Starts a replay of what the subscription has missed. */
  async recover(subscription: string, body: object): Promise<Record<string, unknown>> {
    const url = this.auditUrl(`subscriptions/${subscription}/replays`);
    return asObject(await this.expectSuccess('POST', url, { body }));
  }

  async deleteSubscription(name: string): Promise<void> {
    await this.expectSuccess('DELETE', this.controlUrl(`subscriptions/${name}`));
  }

  /** @param secrets what it verifies with; left out: as before, or none */
  putSource(
    name: string,
    spec: Record<string, unknown>,
    secrets?: SourceSecretsInput,
  ): Promise<Record<string, unknown>> {
    return this.put(`sources/${name}`, { spec, ...(secrets && { secrets }) });
  }

  /** Describes the client's namespace: its limits, policy, egress. */
  async putNamespace(spec: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return asObject(await this.expectSuccess('PUT', this.namespaceUrl, { body: { spec } }));
  }

  /** @returns the new key; the one before works for `overlap`, such as `24h` */
  async rotateApiKey(name: string, overlap = '24h'): Promise<string> {
    const url = this.controlUrl(`api-keys/${name}/rotate`);
    const { key } = asObject(await this.expectSuccess('POST', url, { body: { overlap } }));
    if (typeof key !== 'string') throw new Error(`The answer to the rotation of ${name} holds no key.`);
    return key;
  }

  async revokeApiKey(name: string): Promise<void> {
    await this.expectSuccess('POST', this.controlUrl(`api-keys/${name}/revoke`));
  }

  /** @returns the key itself, which is shown only when it is made */
  async putApiKey(name: string, scopes: ApiKeyScope[] = ['publish']): Promise<string> {
    const { key } = await this.put(`api-keys/${name}`, { spec: { scopes } });
    if (typeof key !== 'string') throw new Error(`The answer to api-keys/${name} holds no key.`);
    return key;
  }

  /** A subscription's signing secret, `whsec_…`. */
  async secret(subscription: string): Promise<string> {
    const url = this.controlUrl(`subscriptions/${subscription}/secret`);
    const { secret } = asObject(await this.expectSuccess('GET', url));
    if (typeof secret !== 'string') throw new Error('The answer holds no secret.');
    return secret;
  }

  /** Publishes plain JSON, `{type, data, …}`. @throws UnexpectedAnswerError unless it is 202 */
  async publish(
    event: Record<string, unknown>,
    options: Omit<RequestOptions, 'body'> = {},
  ): Promise<{ id: string; traceId: string }> {
    const url = `${this.options.ingestUrl}/v1/events`;
    return (await this.expectSuccess('POST', url, { ...options, body: event })) as {
      id: string;
      traceId: string;
    };
  }

  /** What became of an event; `undefined` as long as audit has not recorded it. */
  async event(id: string): Promise<Record<string, unknown> | undefined> {
    const answer = await this.request('GET', this.auditUrl(`events/${encodeURIComponent(id)}`));
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new UnexpectedAnswerError(`GET event ${id}`, answer);
    return asObject(answer.body);
  }

  /** Of the namespace itself, on control. */
  get namespaceUrl(): string {
    return `${this.options.controlUrl}/control/v1/namespaces/${this.namespace}`;
  }

  controlUrl(path: string): string {
    return `${this.namespaceUrl}/${path}`;
  }

  auditUrl(path: string): string {
    return `${this.options.auditUrl}/audit/v1/namespaces/${this.namespace}/${path}`;
  }

  /** One request with the admin key, unless another key is given (`''` = none). Any status resolves. */
  async request(method: string, url: string, options: RequestOptions = {}): Promise<ApiResponse> {
    const { key = this.options.adminKey, body } = options;
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(url, {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        'quittance-namespace': this.namespace,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    const parsed: unknown = text === '' ? undefined : isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed };
  }

  private async put(path: string, body: unknown): Promise<Record<string, unknown>> {
    return asObject(await this.expectSuccess('PUT', this.controlUrl(path), { body }));
  }

  private async expectSuccess(method: string, url: string, options: RequestOptions = {}): Promise<unknown> {
    const answer = await this.request(method, url, options);
    if (answer.status < 200 || answer.status > 299)
      throw new UnexpectedAnswerError(`${method} ${url}`, answer);
    return answer.body;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new TypeError(`A JSON object was expected, not ${JSON.stringify(value)}.`);
}
