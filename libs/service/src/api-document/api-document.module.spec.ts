import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineConfig, readConfig, type ServiceConfig } from '../config/config.js';
import { portVariable } from '../config/variables.js';
import { Service } from '../lifecycle/service.js';
import { createLogger } from '../logging/logger.js';
import { apiDocumentModule, documentOperation } from './api-document.module.js';
import { openApiDocument } from './openapi-document.js';
import type { ApiDescription } from './operation.js';

const api: ApiDescription = {
  title: 'Nothing but its document',
  description: 'An API.',
  localUrl: 'http://127.0.0.1:1',
  tags: [{ name: 'about', description: 'This API.' }],
  operations: [documentOperation],
};

describe('A service with a document', () => {
  const service = new Service<ServiceConfig>({
    name: 'sample',
    config: readConfig(
      defineConfig({ QUITTANCE_PORT: portVariable(0), QUITTANCE_MANAGEMENT_PORT: portVariable(0) }),
      { QUITTANCE_HOST: '127.0.0.1' },
    ),
    logger: createLogger({ service: 'sample', version: '0', level: 'silent' }),
    module: () => apiDocumentModule(api),
    configureHttp: () => undefined,
  });
  let port = 0;

  beforeAll(async () => {
    port = (await service.start()).port ?? 0;
  });
  afterAll(() => service.close());

  it('serves it to everybody', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/openapi.json`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    // What is not there has no place in JSON.
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(api))));
  });
});
