import { differencesOf, routesOf } from '@quittance/testing';
import { describe, expect, it } from 'vitest';
import { AuditModule } from '../audit.module.js';
import { auditConfig } from '../config.js';
import { auditApi } from './audit-api.js';

describe('The document of audit', () => {
  // Ending takes seconds while Kafka is sought in vain.
  it('has every route, and no other', { timeout: 60_000 }, async () => {
    const routes = await routesOf({
      name: 'audit',
      config: auditConfig,
      module: (config) => AuditModule.of(config),
    });
    expect(routes).not.toEqual([]);
    expect(differencesOf(routes, auditApi.operations)).toEqual({ undocumented: [], missing: [] });
  });
});
