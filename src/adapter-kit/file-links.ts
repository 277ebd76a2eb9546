import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What a link to a file stands for. */
export interface LinkedFile {
  key: string
  mediaType: string
  size: number
}

export interface FileLinks {
  /** A token for the path of a URL. It tells nothing to who holds it and is worth something for an hour. */
  seal(file: LinkedFile): string
  /** @returns undefined for a token that was not made here, was changed, or is too old. */
  open(token: string): LinkedFile | undefined
}

const LIFE_MS = 60 * 60 * 1000
const NONCE = 12
const TAG = 16

/**
 * Links that need no memory: the token is the encrypted and authenticated reference itself (AES-256-GCM, key derived from the
 * first shared secret), so that any process of the adapter can serve it and no name or path of the author's shows in a URL.
 */
export function createFileLinks(secret: string, now: () => Date): FileLinks {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'dsar-adapter/1 file links', 32))
  return {
    seal(file) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const text = JSON.stringify({ ...file, until: now().getTime() + LIFE_MS })
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return sealed.toString('base64url')
    },
    open(token) {
      const sealed = Buffer.from(token, 'base64url')
      if (sealed.length <= NONCE + TAG) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
      decipher.setAuthTag(sealed.subarray(-TAG))
      try {
        const text = Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8')
        const { until, ...file } = JSON.parse(text) as LinkedFile & { until: number }
        return until >= now().getTime() ? file : undefined
      } catch {
        return undefined // not ours: the tag doesn't fit
      }
    },
  }
}
