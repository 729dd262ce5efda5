import { Module, type DynamicModule } from '@nestjs/common';
import { apiDocumentModule, catalogueModule, kafkaModule } from '@quittance/service';
import { ingestApi } from './api-document/ingest-api.js';
import { EventsModule } from './events/events.module.js';
import { InboundModule } from './inbound/inbound.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { RejectionsModule } from './rejections/rejections.module.js';
import { INGEST_CONFIG, type IngestConfig } from './config.js';

/** With at most 1.5 s for a fresh catalogue before it, a publisher has its answer within 5 s also when Kafka is gone. */
const PUBLISH_DEADLINE_MS = 3000;

/** Takes events in over HTTP and writes them to Kafka. */
@Module({})
export class IngestModule {
  static of(config: IngestConfig): DynamicModule {
    return {
      module: IngestModule,
      global: true,
      imports: [
        kafkaModule(config, { clientId: 'quittance-ingest', publishDeadlineMs: PUBLISH_DEADLINE_MS }),
        catalogueModule(config),
        LimitsModule,
        EventsModule,
        InboundModule,
        RejectionsModule,
        apiDocumentModule(ingestApi),
      ],
      providers: [{ provide: INGEST_CONFIG, useValue: config }],
      exports: [INGEST_CONFIG],
    };
  }
}
