import { Module } from '@nestjs/common';
import { KeyUsageModule } from '@quittance/service';
import { PublishingModule } from '../publishing/publishing.module.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { PublisherOrigin } from './publisher-origin.js';

/** `/v1/events`: publishers with keys of ours. */
@Module({
  imports: [PublishingModule, KeyUsageModule],
  controllers: [EventsController],
  providers: [EventsService, PublisherOrigin],
})
export class EventsModule {}
