import { Problem, type NamespaceSpec } from '@quittance/contracts';

/** @throws Problem `payload_too_large` when the body is larger than the namespace allows */
export function assertBodyFits(limits: NamespaceSpec['limits'], body: Buffer): void {
  const { maxBodyBytes } = limits;
  if (body.length <= maxBodyBytes) return;
  throw new Problem(
    'payload_too_large',
    `The body has ${body.length} bytes; in this namespace it may have ${maxBodyBytes}.`,
  );
}
