/** Who sent a request, as far as it is known: set as soon as it is, so that a refusal can be recorded with it. */
export interface RequestOrigin {
  /** One that exists; refusals without one are counted, not recorded. */
  namespace: string;
  /** The name of the source, of an inbound webhook. */
  source?: string;
  /** The name of the API key, where one was recognised. */
  apiKey?: string;
  /** Texts that must not be kept with the body, such as the source's secrets. */
  secrets?: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    origin?: RequestOrigin;
  }
}
