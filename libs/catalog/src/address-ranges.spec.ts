import { describe, expect, it } from 'vitest';
import { AddressRanges } from './address-ranges.js';
import { DefinitionError } from './definition-error.js';

describe('ranges of addresses', () => {
  const ranges = new AddressRanges([
    '203.0.113.0/24',
    '2001:db8::/32',
    '::ffff:198.51.100.0/120',
    '192.0.2.7/8',
  ]);

  it.each([
    '203.0.113.0',
    '203.0.113.255',
    '::ffff:203.0.113.9',
    '::ffff:cb00:7109',
    '0:0:0:0:0:ffff:203.0.113.9',
    '2001:db8::1',
    '2001:0DB8:FFFF::1',
    '198.51.100.200',
    '::ffff:198.51.100.200',
    '192.255.255.255',
  ])('include %s', (ip) => {
    expect(ranges.include(ip)).toBe(true);
  });

  it.each([
    '203.0.114.0',
    '203.0.112.255',
    '2001:db9::1',
    '::ffff:203.0.114.1',
    '198.51.101.1',
    '::203.0.113.9',
    '',
    'localhost',
    '203.0.113',
    '203.0.113.9/32',
    ' 203.0.113.9',
    '203.0.113.09',
    '0xcb.0.113.9',
    '3405803785',
    '203.0.113.9:80',
    '[2001:db8::1]',
    '2001:db8:::1',
  ])('do not include "%s"', (ip) => {
    expect(ranges.include(ip)).toBe(false);
  });

  it('of one family include nothing of the other', () => {
    expect(new AddressRanges(['::/0']).include('203.0.113.9')).toBe(false);
    expect(new AddressRanges(['0.0.0.0/0']).include('2001:db8::1')).toBe(false);
    expect(new AddressRanges(['0.0.0.0/0']).include('::ffff:203.0.113.9')).toBe(true);
  });

  it.each(['203.0.113.0', '203.0.113.0/33', '2001:db8::/129', 'x/8', ''])('cannot be "%s"', (cidr) => {
    expect(() => new AddressRanges([cidr])).toThrow(DefinitionError);
  });
});
