import { describe, expect, it } from 'vitest';
import { defineConfig, readConfig, serviceConfig } from './config.js';
import { portVariable, serviceUrlVariable } from './variables.js';

describe('readConfig', () => {
  it('fills in defaults and turns variable names into fields', () => {
    const config = readConfig(defineConfig({ QUITTANCE_PORT: portVariable(8080) }), {
      QUITTANCE_KAFKA_BROKERS: 'a:1, b:2',
    });
    expect(config).toMatchObject({
      kafkaBrokers: ['a:1', 'b:2'],
      topicPrefix: 'quittance.',
      port: 8080,
      logLevel: 'info',
    });
    expect(config.retryLadder).toHaveLength(8);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig(serviceConfig, { QUITTANCE_HOST: '' }).QUITTANCE_HOST).toBe('127.0.0.1');
  });

  it('names every wrong variable at once, and what is expected', () => {
    const env = {
      QUITTANCE_KAFKA_BROKERS: 'nowhere',
      QUITTANCE_RETRY_LADDER: '5s,1s',
      QUITTANCE_LOG_LEVEL: 'loud',
    };
    expect(() => readConfig(serviceConfig, env)).toThrow(
      /QUITTANCE_KAFKA_BROKERS must be a list[^]*QUITTANCE_RETRY_LADDER The retry ladder must rise[^]*QUITTANCE_LOG_LEVEL must be/,
    );
  });

  it('bounds what a public port may be told', () => {
    const env = {
      QUITTANCE_REQUEST_TIMEOUT: '0s',
      QUITTANCE_MAX_CONNECTIONS: '0',
      QUITTANCE_TRUSTED_PROXIES: '10.0.0.0/8, everybody',
      QUITTANCE_TLS_RELOAD: '2d',
    };
    expect(() => readConfig(defineConfig({}), env)).toThrow(
      /QUITTANCE_REQUEST_TIMEOUT must be from 100ms to 10m[^]*QUITTANCE_MAX_CONNECTIONS must be[^]*QUITTANCE_TRUSTED_PROXIES must be[^]*QUITTANCE_TLS_RELOAD must be/,
    );
    expect(readConfig(defineConfig({}), {})).toMatchObject({
      requestTimeout: 30_000,
      maxConnections: 10_000,
      trustedProxies: [],
      tlsReload: 10_000,
    });
  });

  it('takes the address of another service, and no path below it', () => {
    const schema = defineConfig({ QUITTANCE_AUDIT_URL: serviceUrlVariable('http://127.0.0.1:8082') });
    const urlOf = (text: string): string => readConfig(schema, { QUITTANCE_AUDIT_URL: text }).auditUrl;
    expect(['', 'https://audit.example.com/', 'http://[::1]:1'].map(urlOf)).toEqual([
      'http://127.0.0.1:8082',
      'https://audit.example.com',
      'http://[::1]:1',
    ]);
    for (const text of [
      'audit:8082',
      'http://audit/v1',
      'http://a:b@audit',
      'ftp://audit',
      'http://audit?x',
    ]) {
      expect(() => urlOf(text)).toThrow('QUITTANCE_AUDIT_URL must be a URL such as http://host:port');
    }
  });
});
