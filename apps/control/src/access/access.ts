import { Inject, Injectable } from '@nestjs/common';
import { authenticate, CatalogueBehindError, requireScope, type KeyCatalogue } from '@quittance/catalog';
import { Problem } from '@quittance/contracts';

export const ADMIN_KEY = Symbol('ADMIN_KEY');
/** The catalogue as far as keys go. */
export const KEYS = Symbol('KEYS');

/** The catalogue says also whether it knows all keys yet. */
export interface Keys extends KeyCatalogue {
  readonly ready: boolean;
}

/** Who may do what through this API. */
@Injectable()
export class Access {
  constructor(
    @Inject(KEYS) private readonly keys: Keys,
    @Inject(ADMIN_KEY) private readonly adminKey: string,
  ) {}

  /**
   * @param need `read` is also given to who may `manage`
   * @returns who is asking, as the audit log names it: `admin`, or `api-key:<namespace>/<name>`
   * @throws Problem `unauthenticated`, `forbidden`, or `not_ready` while keys are not known yet
   */
  async require(
    authorization: string | undefined,
    namespace: string,
    need: 'read' | 'manage',
  ): Promise<string> {
    const principal = await this.identify(authorization);
    if (principal.kind === 'admin') return 'admin';
    const may = need === 'read' && principal.scopes.includes('manage') ? 'manage' : need;
    requireScope(principal, namespace, may);
    return `api-key:${principal.namespace}/${principal.name}`;
  }

  private async identify(authorization: string | undefined) {
    try {
      return await authenticate(this.keys, this.adminKey, { authorization });
    } catch (error) {
      const isUnknown = error instanceof Problem && error.code === 'unauthenticated';
      const mayBecomeKnown = isUnknown && authorization !== undefined && !this.keys.ready;
      if (!mayBecomeKnown && !(error instanceof CatalogueBehindError)) throw error;
      throw new Problem(
        'not_ready',
        'API keys cannot be checked at the moment, because the configuration cannot be read from Kafka. Try again.',
        {},
        { 'retry-after': '2' },
      );
    }
  }
}
