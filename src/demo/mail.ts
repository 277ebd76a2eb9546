/** A mail as it arrived. The envelope says who it really went to. */
export interface Mail {
  /** Counted from 1, never used twice. */
  number: number
  envelope: { from: string; to: string[] }
  messageId: string
  from: string
  to: string
  subject: string
  text: string
  html: string
  /** As sent, still encoded, by lower-case name. */
  headers: Record<string, string>
}
