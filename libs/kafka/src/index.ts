export { KafkaClient, type KafkaLog, type KafkaSettings } from './kafka-client.js';
export {
  KafkaAdmin,
  TopicMismatchError,
  TopicShrinkError,
  UnknownTopicError,
  type PartitionLag,
} from './admin.js';
export { Coalescer, type CoalescerOptions, type Settled } from './publishing/coalescer.js';
export { KafkaPublisher, type Published, type PublisherOptions } from './publishing/publisher.js';
export { PublishError, type PublishErrorCode } from './publishing/publish-error.js';
export { CompactedTopicReader, type CompactedTopicReaderOptions } from './reading/compacted-topic-reader.js';
export { type PartitionBounds } from './reading/partition-reader.js';
export { readTopic } from './reading/read-topic.js';
export {
  KafkaStrategy,
  type ConsumerGroup,
  type KafkaStrategyOptions,
  type RecordSource,
} from './consuming/strategy.js';
export { type GroupHealth } from './consuming/group-consumer.js';
export { connectStrategy } from './consuming/connect-strategy.js';
export { deadLetter, done, type HandlerOutcome } from './consuming/handler-outcome.js';
export { NotStartedError, type RecordContext, type RecordHandler } from './consuming/record-runner.js';
