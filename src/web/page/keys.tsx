import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { Dialog } from './dialog.js'
import { keep, kept } from './kept.js'
import { go, hrefOf } from './route.js'

/** Every shortcut, and what it does. */
export const KEYS: readonly [key: string, what: string][] = [
  ['1', 'Fleet'],
  ['2', 'Data flow'],
  ['3', 'Nodes'],
  ['4', 'Events'],
  ['/', 'Search'],
  ['n', 'Start a worker (new)'],
  ['j  k', 'Next and previous worker of the list; Enter opens it'],
  ['Esc', 'Close a dialog; leave the search'],
  ['?', 'This help'],
]

const VIEWS = { 1: 'fleet', 2: 'flow', 3: 'nodes', 4: 'events' } as const

/** Of those who speak to their computer, or whose hand slips, a single key asks for what they never wanted (WCAG 2.1.4). */
let single = kept('keys') !== 'off'

/** Shortcuts, while nobody types and no dialog is open, and nobody has switched them off. */
export function useKeys(on: { start: () => void; help: () => void }): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey } = event
      const target = event.target as HTMLElement
      if (key === 'Escape' && target.id === 'search') return target.blur()
      // wherever the focus is: a click beside the fields of a dialog leaves it on the page
      if (!single || document.querySelector('dialog[open]')) return
      if (ctrlKey || metaKey || altKey || target.closest('input, select, textarea')) return
      if (key in VIEWS) go(hrefOf(VIEWS[key as unknown as keyof typeof VIEWS]))
      else if (key === 'n') on.start()
      else if (key === '?') on.help()
      else if (key === '/') search()
      else if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [on.start, on.help])
}

export function Help({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(single)
  const change = (wanted: boolean) => {
    single = wanted
    keep('keys', wanted ? 'on' : 'off')
    setOn(wanted)
  }
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <label class="check">
        <input type="checkbox" checked={on} onChange={(event) => change(event.currentTarget.checked)} /> Single-key
        shortcuts
      </label>
      <p class="small faint">
        {on
          ? 'Switch it off where keys are pressed by accident, or by a voice; this browser remembers.'
          : 'Only Esc does. Everything is reached by Tab and Enter, this help by the button “?” on top.'}
      </p>
      <dl class={on ? 'keys' : 'keys off'}>
        {KEYS.map(([key, what]) => (
          <div key={key} class={key === 'Esc' ? 'always' : ''}>
            <dt>
              {key.split('  ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

/** Asked for by a key on another view, whose search field is still to be drawn. */
let searching = false

/** For the view that has the search field: called as it is drawn. */
export function useSearchKey(): void {
  useLayoutEffect(() => {
    if (searching) focusSearch()
    searching = false
  }, [])
}

function focusSearch(): boolean {
  const field = document.getElementById('search')
  field?.focus()
  return field !== null
}

function search(): void {
  if (focusSearch()) return
  searching = true
  go(hrefOf('fleet'))
}

function step(by: number): void {
  const names = [...document.querySelectorAll<HTMLElement>('a.name')]
  const at = names.indexOf(document.activeElement as HTMLElement)
  names[at < 0 ? (by > 0 ? 0 : names.length - 1) : Math.min(names.length - 1, Math.max(0, at + by))]?.focus()
}
