import { Controller, Get, Header, Inject, Module, type DynamicModule } from '@nestjs/common';
import * as z from 'zod';
import { openApiDocument } from './openapi-document.js';
import type { ApiDescription, ApiOperation } from './operation.js';

const DOCUMENT = Symbol('API_DOCUMENT');

const openApi = z.looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) });

/** The request that this module answers; part of every description. */
export const documentOperation: ApiOperation = {
  method: 'get',
  path: '/openapi.json',
  id: 'getOpenApiDocument',
  tag: 'about',
  summary: 'This document.',
  access: 'open',
  answers: {
    200: { description: 'The OpenAPI 3.1 document of this API.', content: { 'application/json': openApi } },
  },
  problems: [],
};

@Controller('openapi.json')
class ApiDocumentController {
  constructor(@Inject(DOCUMENT) private readonly document: Buffer) {}

  @Get()
  @Header('content-type', 'application/json')
  read(): Buffer {
    return this.document;
  }
}

/** Serves a service's own document at `GET /openapi.json`, to everybody: it tells nothing that is not public. */
export function apiDocumentModule(api: ApiDescription): DynamicModule {
  return {
    module: ApiDocumentModule,
    controllers: [ApiDocumentController],
    providers: [{ provide: DOCUMENT, useFactory: () => Buffer.from(JSON.stringify(openApiDocument(api))) }],
  };
}

@Module({})
export class ApiDocumentModule {}
