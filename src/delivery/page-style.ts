/** How every page for a person looks: written into the page, because a page loads nothing. */
export const PAGE_STYLE = `:root { --text: #1b1f24; --quiet: #57606a; --page: #f3f5f7; --card: #fff; --line: #8a929b; --action: #0b4f9e; --on-action: #fff; --told: #eaf2fb; --wrong: #b00020; --wrong-page: #fdecee }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaed; --quiet: #aab2bb; --page: #15181c; --card: #1f2429; --line: #78818b; --action: #8cbcff; --on-action: #0b1a2e; --told: #1b2c42; --wrong: #ff9aa5; --wrong-page: #3d1c22 } }
* { box-sizing: border-box }
body { font: 1.0625rem/1.55 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 0; padding: 1.5rem 1rem 3rem }
main { max-width: 36rem; margin: 0 auto; padding: 1.5rem; background: var(--card); border-radius: .75rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem }
p { margin: 0 0 .75rem }
label { display: block; font-weight: 600; margin-bottom: .25rem }
input { font: inherit; font-family: ui-monospace, monospace; font-size: 1.25rem; letter-spacing: .12em; text-transform: uppercase; width: 100%; max-width: 14rem; padding: .55rem .75rem; margin-bottom: .75rem; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: .4rem }
input[aria-invalid] { border-color: var(--wrong) }
button { font: inherit; font-weight: 600; padding: .7rem 1.2rem; color: var(--on-action); background: var(--action); border: 1px solid var(--action); border-radius: .4rem; cursor: pointer }
button.second { color: var(--action); background: transparent }
button:focus-visible, input:focus-visible { outline: 3px solid #d08700; outline-offset: 2px }
.told { padding: .7rem 1rem; border-left: .3rem solid var(--action); background: var(--told); border-radius: .3rem }
.wrong { border-color: var(--wrong); background: var(--wrong-page) }
dl { margin: 0 0 .75rem; font-size: .95rem }
dt { color: var(--quiet) }
dd { margin: 0 0 .6rem; overflow-wrap: anywhere }
`
