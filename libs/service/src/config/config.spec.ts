import { describe, expect, it } from 'vitest';
import { defineConfig, readConfig, serviceConfig } from './config.js';
import { portVariable } from './variables.js';

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
});
