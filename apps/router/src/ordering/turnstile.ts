import { Injectable } from '@nestjs/common';
import { NotStartedError } from '@quittance/kafka';
import { AssignmentMap } from './assignment-map.js';

/** A record's place among those that have to begin one after the other. */
export class Turn {
  private readonly arrival = Promise.withResolvers<void>();

  constructor(
    readonly offset: bigint,
    private readonly queue: TurnQueue,
  ) {}

  /**
   * Resolves once all that came before have left.
   * @throws NotStartedError when the assignment is over first
   */
  whenCome(): Promise<void> {
    return this.arrival.promise;
  }

  come(): void {
    this.arrival.resolve();
  }

  cancel(): void {
    this.arrival.reject(givenBack());
  }

  /** The record has begun: the next one may. Doing it again does nothing. */
  leave(): void {
    this.queue.leave(this);
  }
}

class TurnQueue {
  private readonly turns: Turn[] = [];

  /** @param onChange told by how many it grew, and how many it has now */
  constructor(private readonly onChange: (by: number, size: number) => void) {}

  /** A record that failed to begin, and is tried again, finds its turn still there. */
  enter(offset: bigint): Turn {
    const head = this.turns[0];
    if (head?.offset === offset) return head;
    const turn = new Turn(offset, this);
    this.turns.push(turn);
    this.onChange(1, this.turns.length);
    if (head === undefined) turn.come();
    return turn;
  }

  leave(turn: Turn): void {
    if (this.turns[0] !== turn) return;
    this.turns.shift();
    this.turns[0]?.come();
    this.onChange(-1, this.turns.length);
  }

  cancel(): void {
    const all = this.turns.splice(0);
    for (const turn of all) turn.cancel();
    this.onChange(-all.length, 0);
  }
}

/**
 * Records begin in the order in which they were read. As long as none has to wait, nobody asks here; if one has to, those
 * of its partition and namespace that come later wait behind it.
 */
@Injectable()
export class Turnstile {
  private readonly queues = new AssignmentMap<TurnQueue>();
  private waiting = 0;

  /** Nobody waits: whoever comes may begin. */
  get isClear(): boolean {
    return this.waiting === 0;
  }

  /**
   * @param over of the assignment that the record was read under
   * @throws NotStartedError when it is over already
   */
  enter(namespace: string, offset: bigint, over: AbortSignal): Turn {
    if (over.aborted) throw givenBack();
    const queue = this.queues.get(over, namespace) ?? this.open(namespace, over);
    return queue.enter(offset);
  }

  private open(namespace: string, over: AbortSignal): TurnQueue {
    const end = (): void => queue.cancel();
    const queue = new TurnQueue((by, size) => {
      this.waiting += by;
      if (size > 0) return;
      over.removeEventListener('abort', end);
      this.queues.delete(over, namespace);
    });
    over.addEventListener('abort', end, { once: true });
    this.queues.set(over, namespace, queue);
    return queue;
  }
}

function givenBack(): NotStartedError {
  return new NotStartedError('The assignment was over before the record could begin.');
}
