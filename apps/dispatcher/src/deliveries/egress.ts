import { Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import type { NamespaceSpec } from '@quittance/contracts';
import { EgressPolicy } from '@quittance/webhooks';

/** Where each namespace's requests may go, compiled once per version of its resource. */
@Injectable()
export class Egress {
  private readonly policies = new WeakMap<NamespaceSpec['egress'], EgressPolicy>();

  constructor(private readonly catalogue: Catalogue) {}

  of(namespace: string): EgressPolicy {
    const { egress } = this.catalogue.namespace(namespace);
    let policy = this.policies.get(egress);
    if (!policy) {
      policy = new EgressPolicy(egress);
      this.policies.set(egress, policy);
    }
    return policy;
  }
}
