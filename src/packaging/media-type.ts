interface Treatment {
  extension: string
  /** The bytes are compressed already: deflating them again costs time and saves nothing. */
  stored: boolean
}

const DEFLATED = {
  'text/plain': 'txt',
  'text/csv': 'csv',
  'text/markdown': 'md',
  'text/calendar': 'ics',
  'text/vcard': 'vcf',
  'text/rtf': 'rtf',
  'application/json': 'json',
  'application/rtf': 'rtf',
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'message/rfc822': 'eml',
  'image/bmp': 'bmp',
  'image/tiff': 'tif',
  'audio/wav': 'wav',
  // What a browser would run when it is opened from the disk goes out as text: the same bytes, only never executed.
  'text/html': 'txt',
  'text/xml': 'txt',
  'text/javascript': 'txt',
  'application/javascript': 'txt',
  'application/xml': 'txt',
  'application/xhtml+xml': 'txt',
  'image/svg+xml': 'txt',
}

const STORED = {
  'application/pdf': 'pdf',
  'application/zip': 'zip',
  'application/gzip': 'gz',
  'application/x-7z-compressed': '7z',
  'application/epub+zip': 'epub',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/ogg': 'ogg',
  'audio/webm': 'weba',
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
}

const treat = (table: Record<string, string>, stored: boolean): [string, Treatment][] =>
  Object.entries(table).map(([type, extension]) => [type, { extension, stored }])

const TREATMENTS = new Map([...treat(DEFLATED, false), ...treat(STORED, true)])
const UNKNOWN: Treatment = { extension: 'bin', stored: false }

/** The type without its parameters, in lower case (RFC 6838, 4.2); what is not a media type at all is a stream of bytes. */
export function plainMediaType(mediaType: string): string {
  const [type = ''] = mediaType.toLowerCase().split(';', 1)
  return /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(type.trim()) ? type.trim() : 'application/octet-stream'
}

/** The file extension that we give to a plain media type, and whether to compress it. Never taken from a name from outside. */
export const treatmentOf = (mediaType: string): Treatment => TREATMENTS.get(mediaType) ?? UNKNOWN
