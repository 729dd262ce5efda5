import { Injectable, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { AddressRanges, SecretBox, WebhookClient } from '@quittance/webhooks';
import manifest from '../../../../package.json' with { type: 'json' };
import type { DispatcherConfig } from '../config.js';
import { UrlChoice } from './url-choice.js';

/** Closes after the consumers have drained: what is in flight needs its connections. */
@Injectable()
class WebhookClientShutdown implements OnApplicationShutdown {
  constructor(private readonly client: WebhookClient) {}

  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }
}

export function webhookProviders(config: DispatcherConfig): Provider[] {
  return [
    {
      provide: WebhookClient,
      useFactory: () =>
        new WebhookClient({
          version: manifest.version,
          allowLoopback: config.allowLoopback,
          allowPrivate: config.allowPrivate,
          denied: new AddressRanges(config.egressDenied),
        }),
    },
    { provide: SecretBox, useFactory: () => new SecretBox([config.masterKey]) },
    UrlChoice,
    WebhookClientShutdown,
  ];
}
