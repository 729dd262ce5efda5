import ipaddr from 'ipaddr.js';
import type { AddressRanges } from './egress-policy.js';

/** Which addresses may be connected to beyond those of the public internet. */
export interface AddressPolicy {
  /** 127.0.0.0/8 and ::1. For local development. */
  allowLoopback: boolean;
  /** 10/8, 172.16/12, 192.168/16, 100.64/10 and fc00::/7. */
  allowPrivate: boolean;
  /** Never, whatever else allows them: where the platform's own servers are. */
  denied?: AddressRanges;
}

/**
 * Metadata and platform services at addresses that their range alone would let through; most live in link-local ranges,
 * which are blocked as such.
 */
const METADATA: readonly [range: string, bits: number][] = [
  // Azure's platform channel: a public address that every virtual machine reaches.
  ['168.63.129.16', 32],
  // Alibaba Cloud, inside the range of carrier-grade NAT.
  ['100.100.100.200', 32],
  // AWS over IPv6, inside the unique local range.
  ['fd00:ec2::', 32],
  // Google Cloud over IPv6, inside the unique local range.
  ['fd20:ce::254', 128],
];
const metadata = METADATA.map(([range, bits]) => [ipaddr.parse(range), bits] as const);

/** Only this part of the IPv6 space is assigned to hosts of the public internet. */
const globalUnicast = ipaddr.IPv6.parse('2000::');

/**
 * Checks one address, in the form in which it will be connected to. Addresses that carry an IPv4 address (mapped,
 * compatible, translated, NAT64) are judged by what they carry. Those of 6to4 and Teredo, whose relays are switched off
 * or anybody's (RFC 7526), are blocked.
 * @param opened private ranges that may be reached all the same
 * @returns what kind of address it is when it must not be connected to, else `undefined`
 */
export function blockedRange(
  address: string,
  policy: AddressPolicy,
  opened?: AddressRanges,
): string | undefined {
  let parsed: ipaddr.IPv4 | ipaddr.IPv6;
  try {
    parsed = ipaddr.parse(address);
  } catch {
    return 'unreadable';
  }
  return check(parsed, policy, opened);
}

function check(
  address: ipaddr.IPv4 | ipaddr.IPv6,
  policy: AddressPolicy,
  opened: AddressRanges | undefined,
): string | undefined {
  if (policy.denied?.contains(address)) return 'denied';
  for (const [range, bits] of metadata) {
    if (address.kind() === range.kind() && address.match(range, bits)) return 'metadata';
  }
  const range = address.range();
  switch (range) {
    case 'loopback':
      return policy.allowLoopback ? undefined : 'loopback';
    case 'private':
    case 'carrierGradeNat':
    case 'uniqueLocal':
      return policy.allowPrivate || opened?.contains(address) ? undefined : 'private';
    case 'unicast':
    case 'ipv4Mapped':
    case 'rfc6145':
    case 'rfc6052':
      break;
    default:
      // A range without a case here is special in one way or another: blocked until someone decides otherwise.
      return range;
  }
  if (isIPv4(address)) return undefined;
  const carried = carriedAddresses(address, range);
  for (const inner of carried) {
    const blocked = check(inner, policy, opened);
    if (blocked !== undefined) return blocked;
  }
  return carried.length > 0 || address.match(globalUnicast, 3) ? undefined : 'reserved';
}

function isIPv4(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}

function carriedAddresses(address: ipaddr.IPv6, range: string): ipaddr.IPv4[] {
  const bytes = address.toByteArray();
  const last = bytes.slice(12);
  switch (range) {
    case 'ipv4Mapped':
    case 'rfc6145':
      return [new ipaddr.IPv4(last)];
    case 'rfc6052':
      // The well-known prefix ends in the address. Under a local prefix (64:ff9b:1::/48) nobody outside its network
      // knows where the address is, so that stays blocked.
      return address.parts[2] === 0 ? [new ipaddr.IPv4(last)] : [];
    default:
      // The deprecated IPv4-compatible form, `::a.b.c.d`, counts as ordinary unicast.
      return bytes.slice(0, 12).every((byte) => byte === 0) ? [new ipaddr.IPv4(last)] : [];
  }
}
