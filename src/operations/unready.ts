/** Something that whoever starts the service has to put right first. */
export class Unready extends Error {
  readonly code = 'unready'
}
