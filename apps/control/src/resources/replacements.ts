import { Inject, Injectable } from '@nestjs/common';
import type { EventTypeSpec, SourceSecrets, SourceSecretsInput, SourceSpec } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import { VerifierSecrets } from '../sources/verifier-secrets.js';
import { assertCompatible } from './compatible-versions.js';
import type { ResourceInput } from './resource-body.js';

/** What changes of a resource when it is replaced, beside what the client put. */
export interface Replacement {
  secrets: object | null;
  /** Names of the secrets that the client set, or that have lost their use. */
  secretsChanged: readonly string[];
}

/** What a kind demands of what takes a resource's place, given what stands there. */
@Injectable()
export class Replacements {
  constructor(@Inject(VerifierSecrets) private readonly verifying: VerifierSecrets) {}

  /** @throws Problem `incompatible_schema`, `invalid_resource` */
  of(before: ResourceRow, input: ResourceInput): Replacement {
    switch (before.kind) {
      case 'EventType':
        assertCompatible(before.spec as EventTypeSpec, input.spec as EventTypeSpec);
        break;
      case 'Source': {
        const { secrets, changed } = this.verifying.merge(before.uid, {
          spec: input.spec as SourceSpec,
          given: (input.secrets ?? {}) as SourceSecretsInput,
          before: { spec: before.spec as SourceSpec, secrets: before.secrets as SourceSecrets },
        });
        return { secrets, secretsChanged: changed };
      }
    }
    return { secrets: before.secrets, secretsChanged: [] };
  }
}
