import { describe, expect, it } from 'vitest';
import { blockedRange } from './address-policy.js';

const strict = { allowLoopback: false, allowPrivate: false };
const open = { allowLoopback: true, allowPrivate: true };

const LOOPBACK = ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1'];
const PRIVATE = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
];
const NEVER = [
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  '240.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '192.0.0.192',
  '2001:db8::1',
  '100::1',
  '4000::1',
  // IPv4 in IPv6's clothes: mapped, compatible, translated, NAT64 (well-known and local).
  '::ffff:169.254.169.254',
  '::ffff:0.0.0.0',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::8.8.8.8',
  // 6to4, of 169.254.169.254, 10.0.0.1 and a public address.
  '2002:a9fe:a9fe::1',
  '2002:0a00:0001::1',
  '2002:0808:0808::1',
  // Teredo: a client that is 169.254.169.254 once inverted, such a server, and both public.
  '2001:0:808:808:0:0:5601:5601',
  '2001:0:a9fe:a9fe:0:0:f7f7:f7f7',
  '2001:0:808:808:0:0:f7f7:f7f7',
  'example.com',
  '',
];
const PUBLIC = [
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
];

describe('blockedRange', () => {
  it.each(PUBLIC)('lets %s through', (address) => {
    expect(blockedRange(address, strict)).toBeUndefined();
  });

  it.each(LOOPBACK)('lets %s through only where loopback is allowed', (address) => {
    expect(blockedRange(address, { ...open, allowLoopback: false })).toBe('loopback');
    expect(blockedRange(address, { ...strict, allowLoopback: true })).toBeUndefined();
  });

  it.each(PRIVATE)('lets %s through only where private ranges are allowed', (address) => {
    expect(blockedRange(address, { ...open, allowPrivate: false })).toBe('private');
    expect(blockedRange(address, { ...strict, allowPrivate: true })).toBeUndefined();
  });

  it.each(NEVER)('never lets %s through', (address) => {
    expect(blockedRange(address, strict)).toBeDefined();
    expect(blockedRange(address, open)).toBeDefined();
  });
});
