import type { Principal } from '@quittance/catalog';
import type { KeyUsedOutcome } from '@quittance/contracts';
import type { Logger } from 'pino';

/** How exact "last used" is. */
const INTERVAL_MS = 60_000;
/** About 1 MB. More credentials in a minute go unnoted until the next. */
const MAX_CREDENTIALS = 10_000;

/** Writes down that API keys are used: each credential at most once a minute, and nobody waits for it. */
export class KeyUsage {
  /** When each credential was last noted, epoch milliseconds; the oldest first. */
  private readonly notedAt = new Map<string, number>();

  /** @param publish writes to `outcomes.v1`; may fail */
  constructor(
    private readonly publish: (outcome: KeyUsedOutcome) => Promise<unknown>,
    private readonly logger: Pick<Logger, 'debug'>,
  ) {}

  /** Never throws. Uses of the admin key are not noted. */
  note({ apiKey, credentialId }: Principal): void {
    if (apiKey === undefined || credentialId === undefined) return;
    const at = Date.now();
    if (!this.isDue(credentialId, at)) return;
    const { namespace, name, uid } = apiKey.metadata;
    void this.write({ type: 'key-used', at, namespace, name, uid, credentialId });
  }

  private isDue(credentialId: string, at: number): boolean {
    const last = this.notedAt.get(credentialId);
    if (last !== undefined && isRecent(last, at)) return false;
    this.notedAt.delete(credentialId);
    if (this.notedAt.size >= MAX_CREDENTIALS) {
      const [oldest, oldestAt] = this.notedAt.entries().next().value!;
      if (isRecent(oldestAt, at)) return false;
      this.notedAt.delete(oldest);
    }
    this.notedAt.set(credentialId, at);
    return true;
  }

  /** What could not be written is not tried again: the next use, a minute later, says as much. */
  private async write(outcome: KeyUsedOutcome): Promise<void> {
    try {
      await this.publish(outcome);
    } catch (error) {
      const { namespace, name } = outcome;
      this.logger.debug(
        { err: error, namespace, apiKey: name },
        'The use of an API key was not written down.',
      );
    }
  }
}

/** A clock that was put back leaves times in the future behind: they are not recent. */
function isRecent(last: number, at: number): boolean {
  return last <= at && at - last < INTERVAL_MS;
}
