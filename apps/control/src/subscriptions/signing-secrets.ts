import { Inject, Injectable } from '@nestjs/common';
import type { SubscriptionSecrets } from '@quittance/contracts';
import { generateSigningSecret, SecretBox } from '@quittance/webhooks';

/** What a subscription's secrets are sealed for: they open for the same subscription only. */
function sealingContext(uid: string): string {
  return `Subscription/${uid}`;
}

@Injectable()
export class SigningSecrets {
  constructor(@Inject(SecretBox) private readonly box: SecretBox) {}

  create(uid: string): SubscriptionSecrets {
    return { signing: [this.box.seal(generateSigningSecret(), sealingContext(uid))] };
  }

  /**
   * The newest signing secret, `whsec_…`.
   * @throws SecretBoxError when it was sealed under another master key
   */
  reveal(uid: string, secrets: SubscriptionSecrets): string {
    return this.box.open(secrets.signing[0]!, sealingContext(uid));
  }
}
