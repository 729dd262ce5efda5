import { Inject, Injectable } from '@nestjs/common';
import type { OutgoingRecord } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import { Homes } from '../routing/homes.js';
import { AssignmentMap } from './assignment-map.js';
import { StrictLane, type LaneContext, type Refusal } from './strict-lane.js';

/** The lanes that something is under way in. */
@Injectable()
export class StrictLanes {
  private readonly lanes = new AssignmentMap<StrictLane>();

  constructor(
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    private readonly homes: Homes,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  /**
   * Writes a delivery of a strict subscription behind those that were submitted before it under the same assignment.
   * @returns see `StrictLane.submit`
   */
  submit(
    subscriptionUid: string,
    record: OutgoingRecord,
    context: LaneContext,
  ): Promise<Refusal | undefined> {
    const lane = this.lanes.get(context.over, subscriptionUid) ?? this.open(subscriptionUid, context);
    return lane.submit(record);
  }

  private open(subscriptionUid: string, context: LaneContext): StrictLane {
    const lane = new StrictLane({
      publisher: this.publisher,
      context,
      homes: this.homes,
      onIdle: () => this.lanes.delete(context.over, subscriptionUid),
      onRepeat: (error) =>
        this.logger.warn(
          { err: error, subscriptionUid },
          'Deliveries of a strict subscription could not be written; trying again.',
        ),
    });
    this.lanes.set(context.over, subscriptionUid, lane);
    return lane;
  }
}
