import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';

/**
 * - `store_unavailable`: the connection, or the server behind it, is gone or going.
 * - `store_contended`: serialization failure, deadlock, or a lock or statement timeout.
 * - `store_misconfigured`: the role, schema or table is missing or not permitted: set-up has to run.
 * - `store_rejected`: the data violates a constraint or a limit; the same data will do so again.
 */
export type StoreErrorCode =
  'store_unavailable' | 'store_contended' | 'store_misconfigured' | 'store_rejected';

/** What the database answered, classified. The message names no data. */
export class StoreError extends Error {
  /** Whether the same statement may succeed later, unchanged. */
  readonly retryable: boolean;
  /** PostgreSQL's five-character code, where it gave one. */
  readonly sqlState: string | undefined;
  /** The violated constraint, where there is one. */
  readonly constraint: string | undefined;

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options: { cause?: unknown; sqlState?: string | undefined; constraint?: string | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'StoreError';
    this.retryable = code !== 'store_rejected';
    this.sqlState = options.sqlState;
    this.constraint = options.constraint;
  }
}

const MESSAGES: Record<StoreErrorCode, string> = {
  store_unavailable: 'The database cannot be reached; try again.',
  store_contended: 'The database is busy with a conflicting change; try again.',
  store_misconfigured: 'The database is not set up for this service: run the control set-up, then try again.',
  store_rejected: 'The database rejects this data.',
};

/** By SQLSTATE, whole or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const CODES: Readonly<Record<string, StoreErrorCode>> = {
  '08': 'store_unavailable', // connection exception
  '53': 'store_unavailable', // out of connections, memory, disk
  '57': 'store_unavailable', // admin shutdown, crash shutdown, cannot connect now
  '58': 'store_unavailable', // I/O errors
  '25006': 'store_unavailable', // read-only transaction: the old primary after a failover
  '25P03': 'store_unavailable', // idle-in-transaction timeout: the connection was ended
  '40': 'store_contended', // serialization failure, deadlock
  '55P03': 'store_contended', // lock timeout
  '57014': 'store_contended', // statement timeout
  '28': 'store_misconfigured', // role or password
  '3D': 'store_misconfigured', // no such database
  '3F': 'store_misconfigured', // no such schema
  '42': 'store_misconfigured', // no such table or column, no permission
  '22': 'store_rejected', // data exception
  '23': 'store_rejected', // integrity constraint
  '54': 'store_rejected', // program limit, such as an index row's size
};

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** pg and TypeORM report a lost or missing connection by message only. */
const CONNECTION_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed)|Driver not Connected|Cannot use a pool after|Called end on pool)/i;

function classify(code: string | undefined, message: string): StoreErrorCode | undefined {
  if (code !== undefined) {
    if (NETWORK_CODES.has(code)) return 'store_unavailable';
    if (/^[0-9A-Z]{5}$/.test(code)) return CODES[code] ?? CODES[code.slice(0, 2)];
  }
  return CONNECTION_MESSAGE.test(message) ? 'store_unavailable' : undefined;
}

/**
 * Reads what pg or TypeORM threw.
 * @returns `undefined` when the error does not come from the database
 */
export function storeErrorOf(error: unknown): StoreError | undefined {
  if (error instanceof StoreError) return error;
  if (!(error instanceof Error)) return undefined;
  // What TypeORM says inside a transaction whose connection has died between two statements.
  if (
    error instanceof QueryRunnerAlreadyReleasedError ||
    error instanceof QueryRunnerProviderAlreadyReleasedError
  ) {
    return new StoreError('store_unavailable', MESSAGES.store_unavailable, { cause: error });
  }
  // TypeORM wraps the driver's error.
  const origin: unknown = 'driverError' in error ? error.driverError : error;
  if (!(origin instanceof Error)) return undefined;
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(origin, name);
    return typeof value === 'string' ? value : undefined;
  };
  const sqlState = text('code');
  const code = classify(sqlState, origin.message);
  if (code === undefined) return undefined;
  return new StoreError(code, MESSAGES[code], { cause: error, sqlState, constraint: text('constraint') });
}

/**
 * Runs `work` and throws what the database threw as a {@link StoreError}; other errors pass.
 * @throws StoreError
 */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeErrorOf(error) ?? error;
  }
}
