import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { DefinitionError } from './definition-error.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [address: Address, prefix: number];

/** IPv4 in IPv6's clothes (`::ffff:192.0.2.1`) has this many bits before it. */
const MAPPED_PREFIX = 96;
/** The form before mapped addresses, long out of use: not the IPv4 address that it spells. */
const COMPATIBLE = /^::\d+\./;

/** Ranges of addresses, parsed once. */
export class AddressRanges {
  private readonly ranges: readonly Range[];

  /** @throws DefinitionError when one of them is not in CIDR form */
  constructor(cidrs: readonly string[]) {
    this.ranges = cidrs.map(parseRange);
  }

  /** @returns false for what is no address. An IPv4-mapped IPv6 address counts as the IPv4 address. */
  include(text: string): boolean {
    const address = parseAddress(text);
    if (address === undefined) return false;
    return this.ranges.some(([range, prefix]) => {
      if (address instanceof ipaddr.IPv4) return range instanceof ipaddr.IPv4 && address.match(range, prefix);
      return range instanceof ipaddr.IPv6 && address.match(range, prefix);
    });
  }
}

/** @throws DefinitionError */
export function parseRange(cidr: string): Range {
  let range: Range;
  try {
    range = ipaddr.parseCIDR(cidr);
  } catch (error) {
    throw new DefinitionError(`"${cidr}" is not a range of addresses in CIDR form.`, { cause: error });
  }
  const [address, prefix] = range;
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && prefix >= MAPPED_PREFIX) {
    return [address.toIPv4Address(), prefix - MAPPED_PREFIX];
  }
  return range;
}

function parseAddress(text: string): Address | undefined {
  // ipaddr.js alone also reads "1", "0x7f000001" and "010.0.0.1" as IPv4 addresses, and `::192.0.2.1` as a mapped one.
  if (isIP(text) === 0 || COMPATIBLE.test(text)) return undefined;
  try {
    return ipaddr.process(text);
  } catch {
    return undefined;
  }
}
