import { Html } from './html.ts'

/** System colours in both schemes, so that contrast is the reader's own; wide tables scroll by themselves, also by keyboard. A caption that
 * repeats the heading above it is for those who do not see. */
export const STYLE = new Html(`
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word }
.skip { position: absolute; left: -100rem }
.skip:focus { position: static }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
h1, h2, h3 { line-height: 1.2 }
h2 { margin-top: 2.5rem; border-bottom: 1px solid GrayText }
.statement { font-size: 1.25rem; border-left: .4rem solid; padding: .5rem 1rem }
.table, pre { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
caption { text-align: start; font-weight: bold; padding: .5rem 0 }
h2 + .table caption, h3 + .table caption { position: absolute; left: -100rem }
th, td { border: 1px solid GrayText; padding: .4rem .6rem; text-align: start; vertical-align: top; overflow-wrap: normal }
td.number { text-align: end; font-variant-numeric: tabular-nums }
dt { font-weight: bold }
dd { margin: 0 0 .5rem 1rem }
td ul { margin: 0; padding-inline-start: 1rem }
pre { border: 1px solid GrayText; padding: .6rem }
@media print { nav, .skip { display: none } }
`)
