import { waitUntil, type ApiClient } from '@quittance/testing';

export interface StoryAttempt {
  id: string;
  number: number;
  status: number | null;
  durationMs: number;
  error: { code: string; message: string } | null;
  response?: string;
}

export interface StoryDelivery {
  id: string;
  subscription: string;
  state: 'pending' | 'delivered' | 'dead' | 'held';
  attempts: StoryAttempt[];
}

/** What audit answers for an event, as far as tests look at it. */
export interface Story {
  id: string;
  type: string;
  traceId: string;
  skipped: { subscription: string; code: string; reason: string }[];
  deliveries: StoryDelivery[];
  /** How often the event came again. */
  duplicates: number;
}

/** Waits until audit tells the event's story, and the story is as `isComplete` wants it. */
export function storyOf(
  client: ApiClient,
  id: string,
  isComplete: (story: Story) => boolean,
  timeoutMs?: number,
): Promise<Story> {
  return waitUntil(
    async () => {
      const story = (await client.event(id)) as Story | undefined;
      return story && isComplete(story) ? story : undefined;
    },
    { what: `the story of event ${id}`, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
  );
}

/** All deliveries have reached the state, and there is at least one. */
export function allIn(state: StoryDelivery['state']): (story: Story) => boolean {
  return (story) =>
    story.deliveries.length > 0 && story.deliveries.every((delivery) => delivery.state === state);
}
