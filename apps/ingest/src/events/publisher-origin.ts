import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { authenticate, Catalogue, type KeyCatalogue } from '@quittance/catalog';
import { Problem } from '@quittance/contracts';
import type { IncomingHttpHeaders } from 'node:http';
import { INGEST_CONFIG, type IngestConfig } from '../config.js';
import { recogniseRefused } from '../publishing/refused-origin.js';
import type { RequestOrigin } from '../rejections/request-origin.js';

/**
 * Recognises who a refused publisher claims to be: by the id of its key, whether or not the key is right; else by the
 * namespace that it names.
 */
@Injectable()
export class PublisherOrigin implements OnModuleInit {
  /** Nobody waits here for a key that may become known. */
  private readonly known: KeyCatalogue;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly catalogue: Catalogue,
    @Inject(INGEST_CONFIG) private readonly config: IngestConfig,
  ) {
    this.known = {
      apiKey: (id) => catalogue.apiKey(id),
      isFresh: () => true,
      whenFresh: () => Promise.resolve(),
    };
  }

  onModuleInit(): void {
    recogniseRefused(this.host, '/v1/events', ({ headers }) => this.originOf(headers));
  }

  private async originOf(headers: IncomingHttpHeaders): Promise<RequestOrigin | undefined> {
    let origin: RequestOrigin | undefined;
    try {
      await authenticate(this.known, this.config.adminKey, headers, ({ metadata }) => {
        origin = { namespace: metadata.namespace, apiKey: metadata.name };
      });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
    const named = headers['quittance-namespace'];
    if (!origin && typeof named === 'string' && this.catalogue.knowsNamespace(named)) {
      origin = { namespace: named };
    }
    return origin;
  }
}
