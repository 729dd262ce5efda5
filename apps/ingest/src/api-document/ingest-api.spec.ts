import { differencesOf, routesOf } from '@quittance/testing';
import { describe, expect, it } from 'vitest';
import { IngestModule } from '../ingest.module.js';
import { ingestConfig } from '../config.js';
import { ingestApi } from './ingest-api.js';

describe('The document of ingest', () => {
  // Ending takes seconds while Kafka is sought in vain.
  it('has every route, and no other', { timeout: 60_000 }, async () => {
    const routes = await routesOf({
      name: 'ingest',
      config: ingestConfig,
      module: (config) => IngestModule.of(config),
    });
    expect(routes).not.toEqual([]);
    expect(differencesOf(routes, ingestApi.operations)).toEqual({ undocumented: [], missing: [] });
  });
});
