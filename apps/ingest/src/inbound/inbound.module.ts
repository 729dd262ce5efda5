import { Module } from '@nestjs/common';
import { SecretBox } from '@quittance/webhooks';
import { INGEST_CONFIG, type IngestConfig } from '../config.js';
import { PublishingModule } from '../publishing/publishing.module.js';
import { InboundController } from './inbound.controller.js';
import { InboundService } from './inbound.service.js';
import { SourceOrigin } from './source-origin.js';
import { SourceVault } from './source-vault.js';

/** `/in/{namespace}/{source}`: third parties, each with its own way to prove who it is. */
@Module({
  imports: [PublishingModule],
  controllers: [InboundController],
  providers: [
    InboundService,
    SourceOrigin,
    SourceVault,
    {
      provide: SecretBox,
      inject: [INGEST_CONFIG],
      useFactory: ({ masterKey }: IngestConfig) => new SecretBox([masterKey]),
    },
  ],
})
export class InboundModule {}
