import { differencesOf, routesOf } from '@quittance/testing';
import { describe, expect, it } from 'vitest';
import { ControlModule } from '../control.module.js';
import { controlConfig } from '../config.js';
import { controlApi } from './control-api.js';

describe('The document of control', () => {
  // Ending takes seconds while Kafka is sought in vain.
  it('has every route, and no other', { timeout: 60_000 }, async () => {
    const routes = await routesOf({
      name: 'control',
      config: controlConfig,
      module: (config) => ControlModule.of(config),
    });
    expect(routes).not.toEqual([]);
    expect(differencesOf(routes, controlApi.operations)).toEqual({ undocumented: [], missing: [] });
  });
});
