import ipaddr from 'ipaddr.js';

/** What a team's requests may reach beyond, and within, what the installation allows. */
export interface EgressRules {
  /** Private ranges that are opened, in CIDR form. */
  allowedCidrs: readonly string[];
  /** Unless empty, only these hosts and those below them. */
  hostSuffixes: readonly string[];
  /** Unless empty, only these ports. */
  ports: readonly number[];
}

const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 };

/** Ranges of addresses, parsed once. */
export class AddressRanges {
  private readonly ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

  /** @throws Error when a text is not in CIDR form */
  constructor(cidrs: readonly string[]) {
    this.ranges = cidrs.map((text) => ipaddr.parseCIDR(text));
  }

  contains(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return this.ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  }
}

/** {@link EgressRules}, ready to judge with. Make it once per namespace and keep it. */
export class EgressPolicy {
  /**
   * Connections are shared only between policies that open the same ranges: one that was opened into a private range
   * must not carry the requests of a team that may not go there.
   */
  readonly key: string;
  readonly opened: AddressRanges;

  constructor(private readonly rules: EgressRules) {
    this.key = [...rules.allowedCidrs].sort().join(' ');
    this.opened = new AddressRanges(rules.allowedCidrs);
  }

  /** @returns why the URL must not be requested; `undefined` when it may, as far as its address allows it */
  refusal(url: URL): string | undefined {
    const { hostSuffixes, ports } = this.rules;
    const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (ports.length > 0 && (port === undefined || !ports.includes(port))) {
      return `The namespace's egress rules do not allow the port ${port ?? url.port}.`;
    }
    const host = url.hostname.toLowerCase().replace(/\.$/, '');
    if (hostSuffixes.length > 0 && !hostSuffixes.some((suffix) => isBelow(host, suffix))) {
      return `The namespace's egress rules do not allow the host "${host}".`;
    }
    return undefined;
  }
}

function isBelow(host: string, suffix: string): boolean {
  const name = suffix.startsWith('.') ? suffix.slice(1) : suffix;
  return host === name || host.endsWith(`.${name}`);
}
