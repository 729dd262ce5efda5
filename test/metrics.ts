import type { TestService } from '@quittance/testing';

/**
 * Subscriptions whose records a dispatcher has had in hand since it has owned their homes.
 * @param state `closed`: it sends to them, unless they are paused or halted; `open`, `suspended`, `disabled`
 */
export async function guardedSubscriptions(
  { managementUrl }: TestService,
  state: 'closed' | 'open' | 'suspended' | 'disabled',
): Promise<number> {
  const metrics = await (await fetch(`${managementUrl}/metrics`)).text();
  const line = new RegExp(`^quittance_guarded_subscriptions\\{[^}]*state="${state}"[^}]*\\} (\\d+)$`, 'm');
  return Number(line.exec(metrics)?.[1] ?? 0);
}
