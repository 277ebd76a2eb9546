import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LetterName } from '../delivery/letters/letters.ts'
import { LANGUAGES } from '../delivery/letters/messages.ts'
import { renderLetter } from '../delivery/letters/render-letter.ts'
import { SAMPLES } from './sample-letters.ts'

const folder = process.argv[2] ?? 'build/letters'
const names = Object.keys(SAMPLES) as LetterName[]

const preview = async <Name extends LetterName>(language: string, name: Name): Promise<void> => {
  const { subject, text, html } = renderLetter(name, language, SAMPLES[name])
  await writeFile(join(folder, language, `${name}.html`), html)
  await writeFile(join(folder, language, `${name}.txt`), `Subject: ${subject}\n\n${text}`)
}

const row = (name: LetterName): string =>
  `<tr><th scope="row">${name}</th>${LANGUAGES.map(
    language => `<td><a href="${language}/${name}.html">HTML</a> <a href="${language}/${name}.txt">text</a></td>`,
  ).join('')}</tr>`

const INDEX = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Letters</title></head><body>
<table><caption>Every letter, in every language, from made-up values</caption>
<thead><tr><td></td>${LANGUAGES.map(language => `<th scope="col">${language}</th>`).join('')}</tr></thead>
<tbody>
${names.map(row).join('\n')}
</tbody></table>
</body></html>
`

for (const language of LANGUAGES) {
  await mkdir(join(folder, language), { recursive: true })
  for (const name of names) await preview(language, name)
}
await writeFile(join(folder, 'index.html'), INDEX)
process.stdout.write(`${names.length} letters in ${LANGUAGES.length} languages: ${join(folder, 'index.html')}\n`)
