import { Inject, Injectable } from '@nestjs/common';
import {
  authenticate,
  Catalogue,
  CatalogueBehindError,
  requireScope,
  type Principal,
} from '@quittance/catalog';
import { Problem } from '@quittance/contracts';
import { KeyUsage } from './key-usage.js';

export const ADMIN_KEY = Symbol('ADMIN_KEY');

/** Who may do what through an API for operators. */
@Injectable()
export class Access {
  constructor(
    private readonly catalogue: Catalogue,
    @Inject(ADMIN_KEY) private readonly adminKey: string,
    private readonly keyUsage: KeyUsage,
  ) {}

  /**
   * @param need `read` is also given to who may `manage`
   * @returns who is asking, as logs and ledgers name it: `admin`, or `api-key:<namespace>/<name>`
   * @throws Problem `unauthenticated`, `key_expired`, `key_revoked`, `forbidden`, or `not_ready` while keys are not
   *   known yet
   */
  async require(
    authorization: string | undefined,
    namespace: string,
    need: 'read' | 'manage',
  ): Promise<string> {
    const principal = await this.identify(authorization);
    if (principal.kind === 'admin') return 'admin';
    this.keyUsage.note(principal);
    const may = need === 'read' && principal.scopes.includes('manage') ? 'manage' : need;
    requireScope(principal, namespace, may);
    return `api-key:${principal.namespace}/${principal.name}`;
  }

  /**
   * For what no namespace may do by itself.
   * @returns who is asking: `admin`
   * @throws as `require` does
   */
  async requireAdmin(authorization: string | undefined): Promise<string> {
    const principal = await this.identify(authorization);
    if (principal.kind === 'admin') return 'admin';
    this.keyUsage.note(principal);
    throw new Problem('forbidden', 'This needs the admin key: no API key allows it.');
  }

  /** The admin key works without the catalogue, and so also without Kafka. */
  private async identify(authorization: string | undefined): Promise<Principal> {
    try {
      return await authenticate(this.catalogue, this.adminKey, { authorization });
    } catch (error) {
      const isUnknown = error instanceof Problem && error.code === 'unauthenticated';
      const mayBecomeKnown = isUnknown && authorization !== undefined && !this.catalogue.ready;
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
