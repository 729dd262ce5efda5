import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Catalogue } from '@quittance/catalog';
import type { FastifyRequest } from 'fastify';
import { recogniseRefused } from '../publishing/refused-origin.js';
import type { RequestOrigin } from '../rejections/request-origin.js';
import type { SourcePath } from './inbound.service.js';
import { SourceVault } from './source-vault.js';

/** Recognises the source that a refused request was sent to. */
@Injectable()
export class SourceOrigin implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly catalogue: Catalogue,
    private readonly vault: SourceVault,
  ) {}

  onModuleInit(): void {
    recogniseRefused(this.host, '/in/', (request) => this.originOf(request));
  }

  private originOf(request: FastifyRequest): RequestOrigin | undefined {
    const { namespace, source: name } = request.params as SourcePath;
    const source = this.catalogue.source(namespace, name);
    if (!source) return this.catalogue.knowsNamespace(namespace) ? { namespace } : undefined;
    return { namespace, source: name, secrets: this.vault.secretsOf(source.resource) };
  }
}
