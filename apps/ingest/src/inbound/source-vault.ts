import { Inject, Injectable } from '@nestjs/common';
import { Problem, type SourceResource } from '@quittance/contracts';
import { LOGGER } from '@quittance/service';
import { createVerifier, SecretBox, type Verifier } from '@quittance/webhooks';
import type { Logger } from 'pino';

/** A source's secrets, opened. */
export interface SourceCredentials {
  readonly verifier: Verifier;
  /** All of them, so that none is kept with what is recorded of a request. */
  readonly secrets: readonly string[];
  readonly handshakeToken: string | undefined;
}

/** Opens the secrets of sources; each source's once. */
@Injectable()
export class SourceVault {
  /** By the catalogue's object: a changed source is another one, and a deleted one is forgotten with it. */
  private readonly opened = new WeakMap<SourceResource, SourceCredentials | 'closed'>();

  constructor(
    private readonly box: SecretBox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws Problem `internal` when a secret does not open; the reason is logged once per source */
  credentialsOf(source: SourceResource): SourceCredentials {
    const credentials = this.lookUp(source);
    if (credentials !== 'closed') return credentials;
    throw new Problem(
      'internal',
      "The source's secrets cannot be opened. Put them again, or tell whoever runs this installation.",
    );
  }

  /** Empty when they do not open. */
  secretsOf(source: SourceResource): readonly string[] {
    const credentials = this.lookUp(source);
    return credentials === 'closed' ? [] : credentials.secrets;
  }

  private lookUp(source: SourceResource): SourceCredentials | 'closed' {
    let credentials = this.opened.get(source);
    if (credentials === undefined) {
      credentials = this.open(source);
      this.opened.set(source, credentials);
    }
    return credentials;
  }

  private open({ metadata, spec, secrets }: SourceResource): SourceCredentials | 'closed' {
    const context = `Source/${metadata.uid}`;
    try {
      const verify = secrets.verify.map((sealed) => this.box.open(sealed, context));
      const handshakeToken =
        secrets.handshakeToken === undefined ? undefined : this.box.open(secrets.handshakeToken, context);
      return {
        verifier: createVerifier(spec.verify, verify),
        secrets: handshakeToken === undefined ? verify : [...verify, handshakeToken],
        handshakeToken,
      };
    } catch (error) {
      this.logger.error(
        { err: error, namespace: metadata.namespace, source: metadata.name },
        'The secrets of a source cannot be used: nothing that is sent there is accepted until they are put again, or the master key is the one they were sealed under.',
      );
      return 'closed';
    }
  }
}
