import { Injectable } from '@nestjs/common';
import type { SubscriptionResource } from '@quittance/contracts';
import { decodeSigningSecret, SecretBox, type SigningKey } from '@quittance/webhooks';

/** The signing keys of subscriptions, opened once per version of the resource. */
@Injectable()
export class SigningKeys {
  private readonly opened = new WeakMap<SubscriptionResource, readonly SigningKey[]>();

  constructor(private readonly secrets: SecretBox) {}

  /**
   * @returns newest first
   * @throws SecretBoxError when the master key is not the one that they were sealed under
   */
  of(subscription: SubscriptionResource): readonly SigningKey[] {
    let keys = this.opened.get(subscription);
    if (!keys) {
      const context = `Subscription/${subscription.metadata.uid}`;
      keys = subscription.secrets.signing.map((sealed) =>
        decodeSigningSecret(this.secrets.open(sealed, context)),
      );
      this.opened.set(subscription, keys);
    }
    return keys;
  }
}
