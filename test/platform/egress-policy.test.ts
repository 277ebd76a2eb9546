import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decideAddress, decideUrl, egressPolicy, isListed } from '../../src/platform/egress-policy.ts'

const nothingListed = egressPolicy([])
const urlAllowed = (url: string, listed: string[] = []) => decideUrl(url, egressPolicy(listed)).allowed

describe('a URL that leads inside', () => {
  test.each([
    'https://127.0.0.1',
    'https://0x7f.1',
    'https://2130706433',
    'https://0177.0.0.1',
    'https://127.1',
    'https://127.0.0.1.',
    'https://0',
    'https://①②⑦.0.0.1',
    'https://[::1]',
    'https://[::]',
    'https://[::127.0.0.1]',
    'https://[::ffff:127.0.0.1]',
    'https://[::ffff:7f00:1]',
    'https://[64:ff9b::7f00:1]',
    'https://[64:ff9b:1::7f00:1]',
    'https://[2002:7f00:1::]',
    'https://[2001::7f00:1]',
    'https://[fd00:ec2::254]',
    'https://[fe80::1]',
    'https://[fec0::1]',
    'https://[ff02::1]',
    'https://169.254.169.254',
    'https://168.63.129.16',
    'https://100.100.100.200',
    'https://192.0.0.192',
    'https://10.0.0.1',
    'https://172.16.0.1',
    'https://172.31.255.255',
    'https://192.168.0.1',
    'https://100.64.0.1',
    'https://198.18.0.1',
    'https://203.0.113.7',
    'https://224.0.0.1',
    'https://255.255.255.255',
    'https://localhost',
    'https://LOCALHOST',
    'https://localhost.',
    'https://ⓛocalhost',
    'https://api.localhost',
  ])('T56 %s is refused', url => {
    expect(urlAllowed(url)).toBe(false)
  })
})

describe('a URL of another form', () => {
  test.each([
    'http://adapter.example',
    'http://8.8.8.8',
    'file:///etc/passwd',
    'gopher://adapter.example/',
    'ftp://adapter.example/',
    'data:application/json,{}',
    'javascript:alert(1)',
    'https://adapter.example:22',
    'https://adapter.example:8443',
    'https://u:p@adapter.example',
    'https://u@adapter.example',
    'http://1.1.1.1 &@2.2.2.2# @3.3.3.3/',
    'https://1.1.1.1 &@2.2.2.2# @3.3.3.3/',
    'https://',
    'adapter.example',
    '//adapter.example',
    '',
  ])('T57 %s is refused', url => {
    expect(urlAllowed(url)).toBe(false)
  })

  test.each(['https://adapter.example', 'https://adapter.example:443/base', 'https://8.8.8.8', 'https://[2606:4700::1111]/'])(
    '%s is allowed',
    url => {
      expect(urlAllowed(url)).toBe(true)
    },
  )
})

describe('an address', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('%s is allowed', ip => {
    expect(decideAddress(ip)).toEqual({ allowed: true })
  })

  test.each([
    '::808:808',
    '::8.8.8.8',
    '2002:808:808::',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '5f00::1',
    'fe80::1%eth0',
    'x',
    '',
  ])('%s is refused', ip => {
    expect(decideAddress(ip).allowed).toBe(false)
  })

  test('written inside an IPv6 address is judged as the same address by itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), ip => {
        expect(decideAddress(`::ffff:${ip}`)).toEqual(decideAddress(ip))
        expect(decideAddress(`64:ff9b::${ip}`)).toEqual(decideAddress(ip))
      }),
    )
  })

  test('that starts with neither 2 nor 3 is refused, unless it stands for an IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV6(), ip => {
        fc.pre(!/^[23]/.test(ip) && !/ffff|64:ff9b/i.test(ip))
        expect(decideAddress(ip).allowed).toBe(false)
      }),
    )
  })
})

describe('the list of the operator', () => {
  test('T66 opens exactly the host and port that it names, to https and http alike', () => {
    const listed = ['127.0.0.1:8080', 'billing.internal:443', '[::1]:9000']
    expect(urlAllowed('http://127.0.0.1:8080/base', listed)).toBe(true)
    expect(urlAllowed('https://127.0.0.1:8080', listed)).toBe(true)
    expect(urlAllowed('http://0x7f.1:8080', listed)).toBe(true)
    expect(urlAllowed('http://[::1]:9000', listed)).toBe(true)
    expect(urlAllowed('http://127.0.0.1:8081', listed)).toBe(false)
    expect(urlAllowed('http://127.0.0.1', listed)).toBe(false)
    expect(urlAllowed('http://127.0.0.2:8080', listed)).toBe(false)
    expect(urlAllowed('https://billing.internal', listed)).toBe(true)
    expect(urlAllowed('http://billing.internal', listed)).toBe(false)
    expect(urlAllowed('https://x.billing.internal', listed)).toBe(true)
    expect(isListed(egressPolicy(listed), new URL('https://x.billing.internal'))).toBe(false)
  })

  test('does not excuse credentials in the URL, or another scheme', () => {
    expect(urlAllowed('http://u:p@127.0.0.1:8080', ['127.0.0.1:8080'])).toBe(false)
    expect(urlAllowed('ftp://127.0.0.1:8080', ['127.0.0.1:8080'])).toBe(false)
  })

  test.each([
    '127.0.0.1',
    'billing.internal',
    'http://billing.internal:80',
    'billing.internal:80/x',
    'u@billing.internal:80',
    ':80',
    '',
  ])('is not read when it holds %p', entry => {
    expect(() => egressPolicy([entry])).toThrow('is not host:port')
  })
})

test('deciding never throws, whatever it is given', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map(s => `https://${s}`),
      ),
      input => {
        expect(typeof decideUrl(input, nothingListed).allowed).toBe('boolean')
        expect(typeof decideAddress(input).allowed).toBe('boolean')
      },
    ),
  )
})
