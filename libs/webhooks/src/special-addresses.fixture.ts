import ipaddr from 'ipaddr.js';

/** A block of addresses that are not those of hosts on the public internet. */
export interface SpecialBlock {
  cidr: string;
  what: string;
}

/** RFC 6890 as updated by RFC 8190, and IANA's IPv4 Special-Purpose Address Registry that continues its table. */
export const SPECIAL_IPV4: readonly SpecialBlock[] = [
  { cidr: '0.0.0.0/8', what: '"this network" (RFC 791)' },
  { cidr: '0.0.0.0/32', what: '"this host on this network" (RFC 1122)' },
  { cidr: '10.0.0.0/8', what: 'private use (RFC 1918)' },
  { cidr: '100.64.0.0/10', what: 'shared address space (RFC 6598)' },
  { cidr: '127.0.0.0/8', what: 'loopback (RFC 1122)' },
  { cidr: '169.254.0.0/16', what: 'link-local (RFC 3927), metadata services among it' },
  { cidr: '172.16.0.0/12', what: 'private use (RFC 1918)' },
  { cidr: '192.0.0.0/24', what: 'IETF protocol assignments (RFC 6890)' },
  { cidr: '192.0.0.0/29', what: 'IPv4 service continuity, DS-Lite (RFC 7335)' },
  { cidr: '192.0.0.8/32', what: 'IPv4 dummy address (RFC 7600)' },
  { cidr: '192.0.0.9/32', what: 'port control protocol anycast (RFC 7723)' },
  { cidr: '192.0.0.10/32', what: 'TURN anycast (RFC 8155)' },
  { cidr: '192.0.0.170/31', what: 'NAT64 and DNS64 discovery (RFC 8880)' },
  { cidr: '192.0.2.0/24', what: 'documentation, TEST-NET-1 (RFC 5737)' },
  { cidr: '192.31.196.0/24', what: 'AS112 v4 (RFC 7535)' },
  { cidr: '192.52.193.0/24', what: 'automatic multicast tunneling (RFC 7450)' },
  { cidr: '192.88.99.0/24', what: '6to4 relay anycast, deprecated (RFC 7526)' },
  { cidr: '192.168.0.0/16', what: 'private use (RFC 1918)' },
  { cidr: '192.175.48.0/24', what: 'direct delegation AS112 (RFC 7534)' },
  { cidr: '198.18.0.0/15', what: 'benchmarking (RFC 2544)' },
  { cidr: '198.51.100.0/24', what: 'documentation, TEST-NET-2 (RFC 5737)' },
  { cidr: '203.0.113.0/24', what: 'documentation, TEST-NET-3 (RFC 5737)' },
  { cidr: '224.0.0.0/4', what: 'multicast (RFC 5771)' },
  { cidr: '240.0.0.0/4', what: 'reserved (RFC 1112)' },
  { cidr: '255.255.255.255/32', what: 'limited broadcast (RFC 919)' },
  { cidr: '168.63.129.16/32', what: "Azure's platform channel" },
];

/** The same for IPv6, without the blocks whose addresses carry one of IPv4: see {@link IPV4_CARRIERS}. */
export const SPECIAL_IPV6: readonly SpecialBlock[] = [
  { cidr: '::/128', what: 'unspecified (RFC 4291)' },
  { cidr: '::1/128', what: 'loopback (RFC 4291)' },
  { cidr: '64:ff9b:1::/48', what: 'NAT64 under a local prefix (RFC 8215)' },
  { cidr: '100::/64', what: 'discard-only (RFC 6666)' },
  { cidr: '100:0:0:1::/64', what: 'dummy prefix (RFC 9780)' },
  { cidr: '2001:1::1/128', what: 'port control protocol anycast (RFC 7723)' },
  { cidr: '2001:1::2/128', what: 'TURN anycast (RFC 8155)' },
  { cidr: '2001:1::3/128', what: 'DNS-SD service registration anycast (RFC 9665)' },
  { cidr: '2001:2::/48', what: 'benchmarking (RFC 5180)' },
  { cidr: '2001:3::/32', what: 'automatic multicast tunneling (RFC 7450)' },
  { cidr: '2001:4:112::/48', what: 'AS112 v6 (RFC 7535)' },
  { cidr: '2001:10::/28', what: 'ORCHID, deprecated (RFC 4843)' },
  { cidr: '2001:20::/28', what: 'ORCHIDv2 (RFC 7343)' },
  { cidr: '2001:30::/28', what: 'drone remote identification (RFC 9374)' },
  { cidr: '2001::/23', what: 'IETF protocol assignments (RFC 2928)' },
  { cidr: '2001::/32', what: 'Teredo (RFC 4380)' },
  { cidr: '2001:db8::/32', what: 'documentation (RFC 3849)' },
  { cidr: '2002::/16', what: '6to4 (RFC 3056)' },
  { cidr: '2620:4f:8000::/48', what: 'direct delegation AS112 (RFC 7534)' },
  { cidr: '3fff::/20', what: 'documentation (RFC 9637)' },
  { cidr: '5f00::/16', what: 'segment routing identifiers (RFC 9602)' },
  { cidr: 'fc00::/7', what: 'unique local (RFC 4193)' },
  { cidr: 'fd00:ec2::254/128', what: "AWS's metadata service" },
  { cidr: 'fe80::/10', what: 'link-local (RFC 4291)' },
  { cidr: 'fec0::/10', what: 'site-local, deprecated (RFC 3879)' },
  { cidr: 'ff00::/8', what: 'multicast (RFC 4291)' },
  { cidr: '4000::/2', what: 'not assigned to anybody (RFC 4291)' },
];

/** IPv6 addresses that lead to the IPv4 address which they carry. */
export const IPV4_CARRIERS: Readonly<Record<string, (ipv4: string) => string>> = {
  'mapped, dotted (RFC 4291)': (ipv4) => `::ffff:${ipv4}`,
  'mapped, in hex (RFC 4291)': (ipv4) => `::ffff:${hexPair(ipv4)}`,
  'mapped, written out (RFC 4291)': (ipv4) => `0:0:0:0:0:ffff:${hexPair(ipv4)}`,
  'compatible, deprecated (RFC 4291)': (ipv4) => `::${hexPair(ipv4)}`,
  'translated (RFC 7915)': (ipv4) => `::ffff:0:${hexPair(ipv4)}`,
  'NAT64 under the well-known prefix, dotted (RFC 6052)': (ipv4) => `64:ff9b::${ipv4}`,
  'NAT64 under the well-known prefix, in hex (RFC 6052)': (ipv4) => `64:ff9b::${hexPair(ipv4)}`,
  'NAT64 under a local prefix (RFC 8215)': (ipv4) => `64:ff9b:1::${hexPair(ipv4)}`,
  '6to4 (RFC 3056)': (ipv4) => `2002:${hexPair(ipv4)}::1`,
  'Teredo, as the server (RFC 4380)': (ipv4) => `2001:0:${hexPair(ipv4)}:0:0:f7f7:f7f7`,
  'Teredo, as the client (RFC 4380)': (ipv4) => `2001:0:808:808:0:0:${hexPair(inverted(ipv4))}`,
};

/** Ways to write an IPv4 address in a URL, all of which mean the same host. */
export const IPV4_SPELLINGS: Readonly<Record<string, (ipv4: string) => string>> = {
  dotted: (ipv4) => ipv4,
  'with a final dot': (ipv4) => `${ipv4}.`,
  'one decimal number': (ipv4) => String(numberOf(ipv4)),
  'one hex number': (ipv4) => `0x${numberOf(ipv4).toString(16)}`,
  'one octal number': (ipv4) => `0${numberOf(ipv4).toString(8)}`,
  'hex octets': (ipv4) =>
    octetsOf(ipv4)
      .map((octet) => `0x${octet.toString(16)}`)
      .join('.'),
  'octal octets': (ipv4) =>
    octetsOf(ipv4)
      .map((octet) => `0${octet.toString(8)}`)
      .join('.'),
  'two parts': (ipv4) => `${octetsOf(ipv4)[0]}.${numberOf(ipv4) % 2 ** 24}`,
  'three parts': (ipv4) => `${octetsOf(ipv4).slice(0, 2).join('.')}.${numberOf(ipv4) % 2 ** 16}`,
  'digits of full width': (ipv4) =>
    ipv4.replace(/[0-9]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
  'dots of another script': (ipv4) => ipv4.replaceAll('.', '。'),
  'percent-encoded': (ipv4) => ipv4.replace(/[0-9]/g, (digit) => `%3${digit}`),
  'behind what looks like another host': (ipv4) => `hooks.example.com@${ipv4}`,
  'behind a name and a password': (ipv4) => `hooks.example.com:443@${ipv4}`,
};

/** The first, the middle and the last address of a block. */
export function samplesOf(cidr: string): string[] {
  const [base, bits] = ipaddr.parseCIDR(cidr);
  const bytes = base.toByteArray();
  const free = BigInt(bytes.length * 8 - bits);
  const first = bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  const last = first | ((1n << free) - 1n);
  const samples = new Set([first, (first + last) / 2n, last]);
  return [...samples].map((number) => textOf(number, bytes.length));
}

function textOf(number: bigint, length: number): string {
  const bytes = Array.from({ length }, (_, index) =>
    Number((number >> BigInt(8 * (length - 1 - index))) & 0xffn),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

function octetsOf(ipv4: string): number[] {
  return ipv4.split('.').map(Number);
}

function numberOf(ipv4: string): number {
  return octetsOf(ipv4).reduce((number, octet) => number * 256 + octet, 0);
}

function hexPair(ipv4: string): string {
  const number = numberOf(ipv4);
  return `${Math.floor(number / 65_536).toString(16)}:${(number % 65_536).toString(16)}`;
}

function inverted(ipv4: string): string {
  return octetsOf(ipv4)
    .map((octet) => octet ^ 0xff)
    .join('.');
}
