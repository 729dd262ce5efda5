import { durationText, eventTypeName, eventTypeVersion } from '@quittance/contracts';
import * as z from 'zod';

const MAX_WAIT_MS = 30_000;

/** `POST …/sources/{name}/simulate`. */
export const simulation = z.strictObject({
  /** Goes into the path, as third parties may name it there. */
  eventType: eventTypeName.optional(),
  /** What is sent: an object or a list as JSON, or a form where the source reads forms; text as it is. Left out: what the provider typically sends. */
  body: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string()]).optional(),
});
export type Simulation = z.infer<typeof simulation>;

/** What ingest made of a simulated request. */
export const simulationResult = z.object({
  request: z.object({
    path: z.string(),
    /** Credentials are blotted out. */
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
  answer: z.object({
    status: z.number().int(),
    /** Parsed where it is JSON, else text. */
    body: z.unknown(),
  }),
  /** Missing where the request was refused, or the source has an answer of its own. */
  event: z.object({ id: z.string(), traceId: z.string() }).optional(),
});
export type SimulationResult = z.infer<typeof simulationResult>;

/** `POST …/subscriptions/{name}/test`. */
export const subscriptionTest = z.strictObject({
  /** Left out: the first that the subscription's patterns want and that has an example. */
  eventType: eventTypeName.optional(),
  /** Left out: the last one, or the last one with an example. */
  version: eventTypeVersion.shape.version.optional(),
  /** Left out: the version's first example. */
  data: z.unknown().optional(),
  /** How long to wait for the first attempt, at most 30 s. */
  wait: durationText(0, MAX_WAIT_MS, '0s to 30s').default('10s'),
});
export type SubscriptionTest = z.infer<typeof subscriptionTest>;

const attempt = z.object({
  id: z.string(),
  number: z.number().int(),
  at: z.string(),
  status: z.number().int().nullable(),
  durationMs: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  response: z.string().nullable(),
});

/** What became of a sample. */
export const subscriptionTestResult = z.object({
  event: z.object({ id: z.string(), traceId: z.string(), type: z.string() }),
  /**
   * `unknown`: the ledger does not tell yet. `held`: the subscription is suspended, and gets it when it is resumed.
   * `skipped`: the subscription is disabled, or was deleted meanwhile.
   */
  state: z.enum(['unknown', 'pending', 'held', 'delivered', 'dead', 'skipped']),
  /** In the order in which they were made. */
  attempts: z.array(attempt),
  /** For a person, where not all is known. */
  detail: z.string().optional(),
});
export type SubscriptionTestResult = z.infer<typeof subscriptionTestResult>;
