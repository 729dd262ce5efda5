import { subscriptionSpec } from '@quittance/contracts';
import { ResourceRow } from '@quittance/persistence';
import { describe, expect, it } from 'vitest';
import { resourceOf } from '../resources/resource-view.js';
import { subscriptionPartsOf } from './subscription-row.js';

const destination = { webhook: { url: 'http://127.0.0.1:9000/hook' } };

function rowOf(parts: { spec: object; status: object; secrets: object }): ResourceRow {
  const at = new Date();
  return Object.assign(new ResourceRow(), {
    kind: 'Subscription',
    namespace: 'shop',
    name: 'billing',
    uid: '0199f0a0-0000-7000-8000-000000000000',
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: at,
    updatedAt: at,
    ...parts,
  });
}

describe('the row of a subscription', () => {
  it('of an earlier release has what this one adds, wherever it goes', () => {
    const row = rowOf({
      spec: {
        description: '',
        events: ['order.*'],
        destination: { webhook: { ...destination.webhook, timeout: '15s' } },
        format: 'standard',
        delivery: { concurrency: 32, retry: {} },
      },
      status: { state: 'active', partition: 3 },
      secrets: { signing: ['sealed'] },
    });
    const expected = {
      spec: subscriptionSpec.parse({ events: ['order.*'], destination }),
      status: { state: 'active', partition: 3, activation: 1 },
      secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
    };
    expect(subscriptionPartsOf(row)).toEqual(expected);
    expect(resourceOf(row)).toMatchObject(expected);
    expect(expected.spec).toMatchObject({ paused: false, delivery: { ordering: 'none' } });
  });

  it('of a later release is left as it is where this one does not understand it', () => {
    const spec = { events: ['order.*'], destination, shape: 'unheard of' };
    const row = rowOf({
      spec,
      status: { state: 'active', partition: 0, activation: 2 },
      secrets: { signing: ['x'] },
    });
    expect(subscriptionPartsOf(row).spec).toEqual(spec);
    expect(subscriptionPartsOf(row).status.activation).toBe(2);
  });
});
