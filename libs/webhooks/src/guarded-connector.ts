import type { LookupAddress } from 'node:dns';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { buildConnector } from 'undici';
import { blockedRange, type AddressPolicy } from './address-policy.js';
import type { AddressRanges } from './egress-policy.js';
import { LookupFailedError } from './lookup-error.js';
import { NameResolver, type Lookup, type NameResolverOptions } from './name-resolver.js';
import { RecencyMap } from './recency-map.js';

export interface GuardedConnectorOptions extends AddressPolicy {
  /** By default the system's resolver. */
  lookup?: Lookup;
  /** How names are remembered. */
  names?: Partial<Omit<NameResolverOptions, 'lookup'>>;
  /** PEM. Trusted instead of the authorities that Node.js comes with. */
  certificateAuthorities?: readonly string[];
}

/** Where to connect to, as undici says it: `port` is empty for the scheme's default. */
export type ConnectTarget = Pick<buildConnector.Options, 'protocol' | 'hostname' | 'port'>;

export class AddressBlockedError extends Error {
  constructor(readonly range: string) {
    super(`The address is ${range}`);
  }
}

/** What one connection may reach, and where its TLS session is kept. */
export interface ConnectScope {
  /** Private ranges that it may reach. */
  opened: AddressRanges | undefined;
  /** Connections of the same scheme, host, port and key resume each other's TLS sessions. */
  key: string;
}

/** What a connection that is being made waits for. */
export type ConnectStage = 'name' | 'connection' | 'tls';

/** A connection that is being made. */
export interface Connecting {
  stage: ConnectStage;
  /** Ends it. The callback is not called any more. */
  destroy(): void;
}

const MAX_SESSIONS = 1024;

/** What Node.js asks for itself. */
const READ_BYTES = 64 * 1024;
/** One for all sockets: what was read is copied before the next one reads. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Node.js would allocate 64 KiB for every read, and an answer is some 100 bytes: that alone called for garbage collections. */
function readingOnce(socketOf: () => net.Socket): net.OnReadOpts {
  return {
    buffer: readBuffer,
    callback: (bytes, buffer) => socketOf().push(Buffer.from(buffer.subarray(0, bytes))),
  };
}

/** TCP was connected, TLS was not: certificate, protocol, or whatever else speaks at that port. */
export class TlsHandshakeError extends Error {}

/**
 * Opens sockets, and only to addresses that the policy allows. Names are resolved here and the socket is given the
 * checked addresses themselves, so no second resolution can put another one in their place.
 */
export class GuardedConnector {
  private readonly names: NameResolver;
  private readonly sessions = new RecencyMap<Buffer>(MAX_SESSIONS);
  private readonly secureContext: tls.SecureContext;

  constructor(private readonly options: GuardedConnectorOptions) {
    const { lookup, names, certificateAuthorities } = options;
    this.names = new NameResolver({ ...names, ...(lookup && { lookup }) });
    this.secureContext = tls.createSecureContext(
      certificateAuthorities ? { ca: [...certificateAuthorities] } : {},
    );
  }

  /**
   * @param callback is called once, unless the connection is destroyed before. Errors: AddressBlockedError,
   *   LookupFailedError, TlsHandshakeError, and what the system says
   * @returns the connection as it is being made; nothing when that has failed already
   */
  connect(
    target: ConnectTarget,
    scope: ConnectScope,
    callback: buildConnector.Callback,
  ): Connecting | undefined {
    const { opened } = scope;
    const host = target.hostname;
    const literal = net.isIP(host) !== 0;
    const secure = target.protocol === 'https:';
    const blocked = literal ? blockedRange(host, this.options, opened) : undefined;
    if (blocked !== undefined) {
      // Checked here, because nobody asks `lookup` about an address.
      process.nextTick(callback, new AddressBlockedError(blocked), null);
      return undefined;
    }
    const connecting: Connecting = {
      stage: literal ? 'connection' : 'name',
      destroy: () => socket.destroy(),
    };
    const common = { host, lookup: this.resolving(connecting, opened), highWaterMark: 64 * 1024 };
    const sessionKey = `${target.protocol}//${host}:${target.port} ${scope.key}`;
    const session = secure ? this.sessions.get(sessionKey) : undefined;
    const socket: net.Socket = secure
      ? tls.connect({
          ...common,
          port: Number(target.port || 443),
          secureContext: this.secureContext,
          // An address is no server name (RFC 6066); the certificate is checked against it all the same.
          servername: literal ? '' : host,
          ALPNProtocols: ['http/1.1'],
          ...(session && { session }),
        })
      : net.connect({ ...common, port: Number(target.port || 80), onread: readingOnce(() => socket) });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);

    let tcpConnected = false;
    let done = false;
    socket.once('connect', () => {
      tcpConnected = true;
      connecting.stage = 'tls';
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      done = true;
      callback(null, socket);
    });
    socket.on('error', (error) => {
      if (done) return;
      done = true;
      callback(secure && tcpConnected ? new TlsHandshakeError(error.message, { cause: error }) : error, null);
    });
    if (secure) socket.on('session', (given: Buffer) => this.sessions.set(sessionKey, given));
    return connecting;
  }

  private resolving(connecting: Connecting, opened: AddressRanges | undefined): net.LookupFunction {
    return async (hostname, options, callback) => {
      let addresses: LookupAddress[];
      try {
        addresses = await this.checkedAddresses(hostname, opened);
      } catch (error) {
        callback(error as Error, []);
        return;
      }
      connecting.stage = 'connection';
      if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    };
  }

  private async checkedAddresses(
    hostname: string,
    opened: AddressRanges | undefined,
  ): Promise<LookupAddress[]> {
    const addresses = await this.names.resolve(hostname);
    let blocked: string | undefined;
    const allowed = addresses.filter(({ address }) => {
      const range = blockedRange(address, this.options, opened);
      blocked ??= range;
      return range === undefined;
    });
    if (allowed.length > 0) return allowed;
    throw blocked === undefined
      ? new LookupFailedError('The name has no address')
      : new AddressBlockedError(blocked);
  }
}
