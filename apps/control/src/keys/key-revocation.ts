import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError } from '@quittance/catalog';
import { Problem, type ApiKeyResource, type ResourceView } from '@quittance/contracts';
import { PublishError } from '@quittance/kafka';
import { Publication } from '../outbox/publication.js';
import { kindNamed } from '../resources/kinds.js';
import { notFound } from '../resources/resource.service.js';
import { ResourceViews } from '../resources/resource-views.js';
import { RevocationClock } from './revocation-clock.js';

/** A key that was just created elsewhere becomes known within this time, or Kafka is gone. */
const PATIENCE_MS = 2_000;

/**
 * Revokes keys without the database: the key is taken from the catalogue, and the revocation goes straight to
 * `config.v1`. The database learns of it afterwards, from there.
 */
@Injectable()
export class KeyRevocation {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Publication) private readonly publication: Publication,
    @Inject(ResourceViews) private readonly views: ResourceViews,
    @Inject(RevocationClock) private readonly clock: RevocationClock,
  ) {}

  /**
   * Answers once every service refuses the key. Repeating it changes nothing.
   * @throws Problem `not_found`, `not_ready` while keys are not known yet, `kafka_unavailable`
   */
  async revoke(namespace: string, name: string, actor: string): Promise<ResourceView> {
    const key = await this.find(namespace, name);
    const revokedAt = this.revokedAtOf(key) ?? (await this.publish(key, actor));
    this.clock.hurry();
    return this.views.withoutDatabase({ ...key, status: { ...key.status, revokedAt } });
  }

  private async find(namespace: string, name: string): Promise<ApiKeyResource> {
    const { catalogue } = this;
    try {
      if (!catalogue.apiKeyNamed(namespace, name)) await catalogue.whenFresh(PATIENCE_MS);
    } catch (error) {
      if (!(error instanceof CatalogueBehindError)) throw error;
      throw unreachable('not_ready');
    }
    const key = catalogue.apiKeyNamed(namespace, name);
    if (key) return key;
    if (!catalogue.ready) throw unreachable('not_ready');
    throw notFound({ kind: kindNamed('ApiKey'), namespace, name });
  }

  private revokedAtOf({ metadata, status }: ApiKeyResource): string | undefined {
    const standing = this.catalogue.revocations().find(({ uid }) => uid === metadata.uid);
    return status.revokedAt ?? standing?.revokedAt;
  }

  private async publish({ metadata }: ApiKeyResource, actor: string): Promise<string> {
    const { namespace, name, uid } = metadata;
    const revokedAt = new Date().toISOString();
    try {
      await this.publication.publish({
        change: 'revoke',
        revocation: { namespace, name, uid, revokedAt, actor },
      });
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      throw unreachable('kafka_unavailable');
    }
    return revokedAt;
  }
}

function unreachable(code: 'not_ready' | 'kafka_unavailable'): Problem {
  return new Problem(
    code,
    'The key may still be in use: Kafka, which tells every service, cannot be reached. Try again.',
    {},
    { 'retry-after': '2' },
  );
}
