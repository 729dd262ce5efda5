import { Inject, Injectable } from '@nestjs/common';
import type { SourceSecrets, SourceSecretsInput, SourceSpec } from '@quittance/contracts';
import { checkVerifierSecrets, SecretBox, SecretBoxError } from '@quittance/webhooks';
import type { Fault } from '../resources/kinds.js';
import { invalid } from '../resources/resource-body.js';

/** What a source's secrets are sealed for: they open for the same source only. */
function sealingContext(uid: string): string {
  return `Source/${uid}`;
}

/** A source's secrets in clear, to verify or to sign with. */
export interface OpenSecrets {
  verify: string[];
  handshakeToken?: string;
}

export interface Merge {
  spec: SourceSpec;
  /** What the client gave: what is left out stays. */
  given: SourceSecretsInput;
  before?: { spec: SourceSpec; secrets: SourceSecrets };
}

/** Seals, keeps and opens what a source verifies with. */
@Injectable()
export class VerifierSecrets {
  constructor(@Inject(SecretBox) private readonly box: SecretBox) {}

  /**
   * The source's secrets from now on, and the names of those that are others than before.
   * @throws Problem `invalid_resource` when secrets are missing, or are none that `spec.verify` can use
   */
  merge(uid: string, { spec, given, before }: Merge): { secrets: SourceSecrets; changed: string[] } {
    const request = { spec, given, ...(before && { before }) };
    const faults = [...this.faultsOfVerify(uid, request), ...faultsOfHandshake(request)];
    if (faults.length > 0) throw invalid(faults);
    const seal = (plain: string): string => this.box.seal(plain, sealingContext(uid));
    const kept = before?.secrets.verify ?? [];
    const verify = spec.verify.type === 'none' ? [] : (given.verify?.map(seal) ?? kept);
    const handshakeToken =
      given.handshakeToken === undefined ? before?.secrets.handshakeToken : seal(given.handshakeToken);
    return {
      secrets: { verify, ...(handshakeToken !== undefined && { handshakeToken }) },
      changed: [
        ...(given.verify || verify.length !== kept.length ? ['verify'] : []),
        ...(given.handshakeToken === undefined ? [] : ['handshakeToken']),
      ],
    };
  }

  /** @throws SecretBoxError when they were sealed under another master key */
  open(uid: string, secrets: SourceSecrets): OpenSecrets {
    const open = (sealed: string): string => this.box.open(sealed, sealingContext(uid));
    return {
      verify: secrets.verify.map(open),
      ...(secrets.handshakeToken !== undefined && { handshakeToken: open(secrets.handshakeToken) }),
    };
  }

  private faultsOfVerify(uid: string, { spec: { verify }, given, before }: Merge): Fault[] {
    const path = '/secrets/verify';
    if (verify.type === 'none') {
      return given.verify ? [{ path, message: 'must be left out: "verify.type" is "none"' }] : [];
    }
    if (given.verify) return faultsOfSecrets(verify, given.verify);
    if (!before) return [{ path, message: `is needed, because "verify.type" is "${verify.type}"` }];
    if (before.spec.verify.type !== verify.type) {
      return [{ path, message: `is needed anew, because "verify.type" becomes "${verify.type}"` }];
    }
    try {
      // The same secrets, but possibly read in another way, such as another encoding.
      return faultsOfSecrets(verify, this.open(uid, before.secrets).verify);
    } catch (error) {
      if (!(error instanceof SecretBoxError)) throw error;
      return [{ path, message: 'is needed anew: what is stored was sealed under another master key' }];
    }
  }
}

/** Without a token anybody could answer the hub in the source's name. */
function faultsOfHandshake({ spec, given, before }: Merge): Fault[] {
  const hasToken = (given.handshakeToken ?? before?.secrets.handshakeToken) !== undefined;
  if (!spec.handshake.hub || hasToken) return [];
  return [{ path: '/secrets/handshakeToken', message: 'is needed, because "handshake.hub" is true' }];
}

function faultsOfSecrets(verify: SourceSpec['verify'], secrets: readonly string[]): Fault[] {
  return checkVerifierSecrets(verify, secrets).map(({ path, message }) => ({
    path: `/secrets${path}`,
    message,
  }));
}
