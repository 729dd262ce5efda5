import { Module } from '@nestjs/common';
import { EventPublisher } from './event-publisher.js';
import { FreshCatalogue } from './fresh-catalogue.js';

/** What every way in shares: a catalogue to decide on, and the way to Kafka. Needs the global ones of both. */
@Module({ providers: [EventPublisher, FreshCatalogue], exports: [EventPublisher, FreshCatalogue] })
export class PublishingModule {}
