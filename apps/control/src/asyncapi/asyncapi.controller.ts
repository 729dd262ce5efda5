import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { Access } from '@quittance/service';
import type { FastifyReply } from 'fastify';
import { asyncApiDocument, type AsyncApiDocument } from './asyncapi-document.js';
import { EventTypeReader } from './event-type-reader.js';
import { eventTypePage, PAGE_POLICY } from './page/event-type-page.js';

/** Where publishers reach ingest, as far as control knows. */
export const INGEST_URL = Symbol('INGEST_URL');

/** What there is in a namespace's catalogue, for programs and for people. */
@Controller('control/v1/namespaces/:namespace')
export class AsyncApiController {
  constructor(
    @Inject(EventTypeReader) private readonly types: EventTypeReader,
    @Inject(INGEST_URL) private readonly ingestUrl: string,
    @Inject(Access) private readonly access: Access,
  ) {}

  @Get('asyncapi.json')
  async document(
    @Param('namespace') namespace: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<AsyncApiDocument> {
    await this.access.require(authorization, namespace, 'read');
    return asyncApiDocument(await this.types.all(namespace), { namespace, ingestUrl: this.ingestUrl });
  }

  @Get('event-types/:name/docs')
  async page(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    await this.access.require(authorization, namespace, 'read');
    const context = { namespace, ingestUrl: this.ingestUrl };
    const document = asyncApiDocument([await this.types.one(namespace, name)], context);
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', PAGE_POLICY)
      .header('referrer-policy', 'no-referrer');
    return eventTypePage(document, name, context);
  }
}
