import { type Signer, toPem, verifySignature } from '../platform/signing.ts'
import { jsonFile, type TagFile, textFile } from './bag.ts'

const SIGNED = 'tagmanifest-sha256.txt'
const PUBLIC_KEY = 'signature.pem'
const SIGNATURE = `${SIGNED}.sig`

/** Checks the signature with a tool that is on most machines; then the digests in the two manifests cover everything else. */
export const VERIFY_COMMAND = `openssl pkeyutl -verify -pubin -inkey ${PUBLIC_KEY} -rawin -in ${SIGNED} -sigfile ${SIGNATURE}`

/** The key that a package is signed with and how to check it. In a package of our own making it proves nothing until it is compared with the published one. */
export const signatureNotes = ({ publicKey }: Signer): TagFile[] => [
  textFile(PUBLIC_KEY, toPem(publicKey)),
  jsonFile('signature.json', {
    algorithm: 'Ed25519',
    keyId: publicKey.kid,
    publicKey,
    signed: SIGNED,
    signature: SIGNATURE,
    verify: VERIFY_COMMAND,
    trust: 'Compare the key with the one that the controller publishes under the same id.',
  }),
]

/** The 64 raw bytes of the signature over the tag manifest. @throws Error if they would not verify: a package is not shipped with a wrong seal. */
export function sign(signer: Signer, tagManifest: TagFile): TagFile {
  const signature = signer.sign(tagManifest.content)
  if (!verifySignature([signer.publicKey], tagManifest.content, signature)) throw new Error('The signature does not verify')
  return { path: SIGNATURE, content: signature.signature }
}
