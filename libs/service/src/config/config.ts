import * as z from 'zod';
import { checkTlsPair, httpVariables, type TlsVariables } from './http-variables.js';
import { serviceVariables } from './variables.js';

const sharedVariables = { ...serviceVariables, ...httpVariables };

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<S>;
/** `QUITTANCE_KAFKA_BROKERS` → `kafkaBrokers`. */
export type FieldName<S> = S extends `QUITTANCE_${infer Name}`
  ? Camel<Name>
  : S extends string
    ? Camel<S>
    : never;
type Fields<T> = { [K in keyof T as FieldName<K>]: T[K] };

/** The shared variables alone, for schemas that are put together by hand. */
export const serviceConfig = z.object(sharedVariables);
/** What every service's configuration has. */
export type ServiceConfig = Fields<z.output<typeof serviceConfig>> & {
  /** Public HTTP port; services without one have no listener but the management one. */
  port?: number;
};

/**
 * A service's configuration: the shared variables, and its own, which override shared ones of the same name. Keys are
 * names of environment variables; the parsed result has `camelCase` fields without the prefix.
 */
export function defineConfig<S extends z.ZodRawShape>(own: S) {
  type Shape = Omit<typeof sharedVariables, keyof S> & S;
  return z
    .object({ ...sharedVariables, ...own } as unknown as Shape)
    .superRefine((parsed, context) => checkTlsPair(parsed as TlsVariables, context))
    .transform(
      (parsed) => toFields(parsed as Record<string, unknown>) as Fields<z.output<z.ZodObject<Shape>>>,
    );
}

function toFields(parsed: Record<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parsed)) fields[fieldName(name)] = value;
  return fields;
}

function fieldName(variable: string): string {
  return variable
    .replace(/^QUITTANCE_/, '')
    .toLowerCase()
    .replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** All that is wrong with the environment, at once. */
export class ConfigError extends Error {
  readonly code = 'invalid_configuration';
  readonly retryable = false;

  constructor(readonly problems: { variable: string; expected: string }[]) {
    const lines = problems.map(({ variable, expected }) => `  ${variable} ${expected}`);
    super(`The configuration is not valid:\n${lines.join('\n')}`);
  }
}

/**
 * Reads a configuration from the environment. An empty variable counts as not set.
 * @throws ConfigError naming every variable and what is expected of it, never its value
 */
export function readConfig<C>(schema: z.ZodType<C>, env: NodeJS.ProcessEnv): C {
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => ({
      variable: issue.path.map(String).join('.') || 'environment',
      expected: issue.message,
    })),
  );
}
