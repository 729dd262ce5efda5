import * as z from 'zod';
import { cidr, DEFAULT_LADDER, parseDuration, parseLadder } from '@quittance/contracts';

const BROKER = /^[^\s:,]+:\d{1,5}$/;

/** Applies a parser that throws, and keeps its message. */
function parsed<T>(parse: (text: string) => T): z.ZodType<T, string> {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}

/** A TCP port, 0 to 65535; 0 lets the system choose. */
export function portVariable(defaultPort: number) {
  return parsed((text) => {
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new RangeError('must be a port, 0 to 65535');
    return port;
  }).prefault(String(defaultPort));
}

/** A duration such as `200ms` or `15s`, in milliseconds. */
export function durationVariable(defaultText: string) {
  return parsed(parseDuration).prefault(defaultText);
}

/** A whole number within bounds. */
export function integerVariable(defaultValue: number, min: number, max: number) {
  return parsed((text) => {
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text) || value < min || value > max) {
      throw new RangeError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  }).prefault(String(defaultValue));
}

export function flagVariable(defaultValue: boolean) {
  return z
    .enum(['true', 'false'], { error: 'must be "true" or "false"' })
    .prefault(defaultValue ? 'true' : 'false')
    .transform((text) => text === 'true');
}

/** Ranges of addresses in CIDR form, separated by commas; none by default. */
export const cidrListVariable = parsed((text) => {
  const ranges = text.split(',').flatMap((part) => part.trim() || []);
  if (!ranges.every((range) => cidr.safeParse(range).success)) {
    throw new RangeError('must be a list of address ranges such as "10.0.0.0/8", separated by commas');
  }
  return ranges;
}).prefault('');

/** The installation's admin key: no default, so that none is forgotten. */
export const adminKeyVariable = z
  .string({ error: 'is not set: give the admin key, at least 16 characters, from a secret' })
  .min(16, { error: 'must have at least 16 characters' });

/** 32 bytes in base64, under which signing keys are sealed. */
export const masterKeyVariable = z
  .string({ error: 'is not set: give 32 random bytes in base64, as `openssl rand -base64 32` prints them' })
  .refine((text) => Buffer.from(text, 'base64').length === 32, { error: 'must be 32 bytes in base64' });

/** Where another service's API is reached: `http` or `https`, without a path. */
export function serviceUrlVariable(defaultUrl: string) {
  return parsed((text) => {
    const url = URL.parse(text);
    const isPlain =
      url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '';
    if (!isPlain || url.username !== '') throw new RangeError('must be a URL such as http://host:port');
    return url.origin;
  }).prefault(defaultUrl);
}

export const databaseUrlVariable = z
  .string({ error: 'is not set: give the URL of the database, postgres://user:password@host:port/database' })
  .refine((text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? ''), {
    error: 'must be a URL of the form postgres://user:password@host:port/database',
  });

/** What every service reads. */
export const serviceVariables = {
  QUITTANCE_KAFKA_BROKERS: parsed((text) => {
    const brokers = text.split(',').map((broker) => broker.trim());
    if (!brokers.every((broker) => BROKER.test(broker))) {
      throw new RangeError('must be a list of host:port, separated by commas');
    }
    return brokers;
  }).prefault('127.0.0.1:29092'),
  QUITTANCE_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,100}$/, {
      error: 'must be at most 100 letters, digits, ".", "_" and "-", as Kafka topics are named',
    })
    .default('quittance.'),
  QUITTANCE_RETRY_LADDER: parsed(parseLadder).prefault(DEFAULT_LADDER.map((step) => step.name).join(',')),
  QUITTANCE_HOST: z.string().min(1).default('127.0.0.1'),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9080),
  QUITTANCE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
} as const;

/** How old the catalogue may be when it is used; control waits as long before it answers a change. */
export const catalogStalenessVariable = durationVariable('200ms');
