import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { buildConnector } from 'undici';
import { blockedRange, type AddressPolicy } from './address-policy.js';
import type { AddressRanges } from './egress-policy.js';

/** Resolves a name to all of its addresses; rejects when it has none. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

export interface GuardedConnectorOptions extends AddressPolicy {
  /** By default the system's resolver. */
  lookup?: Lookup;
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

/** No address for the name: it does not exist, or the resolver did not answer. */
export class LookupFailedError extends Error {}

/** TCP was connected, TLS was not: certificate, protocol, or whatever else speaks at that port. */
export class TlsHandshakeError extends Error {}

/**
 * Opens sockets, and only to addresses that the policy allows. Names are resolved here and the socket is given the
 * checked addresses themselves, so no second resolution can put another one in their place.
 */
export class GuardedConnector {
  private readonly lookup: Lookup;
  private readonly lookupsUnderWay = new Map<string, Promise<LookupAddress[]>>();
  private readonly secureContext: tls.SecureContext;

  constructor(private readonly options: GuardedConnectorOptions) {
    this.lookup = options.lookup ?? ((hostname) => systemLookup(hostname, { all: true }));
    const { certificateAuthorities } = options;
    this.secureContext = tls.createSecureContext(
      certificateAuthorities ? { ca: [...certificateAuthorities] } : {},
    );
  }

  /**
   * @param session an earlier TLS session with the same origin, to resume
   * @param onSession receives sessions to resume later
   * @param opened private ranges that this connection may reach
   * @param callback is called once, unless the socket is destroyed before. Errors: AddressBlockedError,
   *   LookupFailedError, TlsHandshakeError, and what the system says
   * @returns the socket that connects, if there is one: destroying it ends the attempt
   */
  connect(
    target: ConnectTarget,
    session: Buffer | undefined,
    onSession: (session: Buffer) => void,
    opened: AddressRanges | undefined,
    callback: buildConnector.Callback,
  ): net.Socket | undefined {
    const host = target.hostname;
    const literal = net.isIP(host) !== 0;
    const secure = target.protocol === 'https:';
    const common = { host, lookup: this.resolving(opened), highWaterMark: 64 * 1024 };
    const blocked = literal ? blockedRange(host, this.options, opened) : undefined;
    if (blocked !== undefined) {
      // Checked here, because nobody asks `lookup` about an address.
      process.nextTick(callback, new AddressBlockedError(blocked), null);
      return undefined;
    }
    const socket = secure
      ? tls.connect({
          ...common,
          port: Number(target.port || 443),
          secureContext: this.secureContext,
          // An address is no server name (RFC 6066); the certificate is checked against it all the same.
          servername: literal ? '' : host,
          ALPNProtocols: ['http/1.1'],
          ...(session && { session }),
        })
      : net.connect({ ...common, port: Number(target.port || 80) });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);

    let tcpConnected = false;
    let done = false;
    socket.once('connect', () => {
      tcpConnected = true;
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
    if (secure) socket.on('session', onSession);
    return socket;
  }

  private resolving(opened: AddressRanges | undefined): net.LookupFunction {
    return async (hostname, options, callback) => {
      let addresses: LookupAddress[];
      try {
        addresses = await this.checkedAddresses(hostname, opened);
      } catch (error) {
        callback(error as Error, []);
        return;
      }
      if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    };
  }

  private async checkedAddresses(
    hostname: string,
    opened: AddressRanges | undefined,
  ): Promise<LookupAddress[]> {
    const addresses = await this.sharedLookup(hostname);
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

  /**
   * One look-up per name at a time. The system's resolver blocks one of libuv's few threads for as long as a name
   * server stays silent; a connection each would let one dead name hold up everybody's.
   */
  private sharedLookup(hostname: string): Promise<LookupAddress[]> {
    const underWay = this.lookupsUnderWay.get(hostname);
    if (underWay) return underWay;
    const lookup = this.lookup(hostname)
      .catch((error: unknown) => {
        throw new LookupFailedError(error instanceof Error ? error.message : String(error), { cause: error });
      })
      .finally(() => this.lookupsUnderWay.delete(hostname));
    this.lookupsUnderWay.set(hostname, lookup);
    return lookup;
  }
}
