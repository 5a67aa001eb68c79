import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { SCROLLS } from './scrolls.js'

/**
 * The browser's own modal dialog: keeps the focus, closes on Escape, gives the focus back. `onClose` is called once: the
 * browser tells of the closing some time after it, when another dialog may be open already.
 */
export function Dialog(of: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const onClose = useRef(of.onClose)
  onClose.current = of.onClose
  useLayoutEffect(() => {
    const element = dialog.current
    if (!element) return
    const close = () => onClose.current()
    element.addEventListener('cancel', close)
    element.addEventListener('close', close)
    element.showModal()
    return () => {
      element.removeEventListener('cancel', close)
      element.removeEventListener('close', close)
      element.close()
    }
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{of.title}</h2>
      {of.children}
    </dialog>
  )
}

interface ConfirmProps {
  title: string
  text: string
  /** What will be sent, to be read word for word. */
  code?: string
  yes: string
  onYes: () => void
  onClose: () => void
}

/** Asks before something that interrupts a worker, or does with it what nobody can take back. */
export function Confirm(of: ConfirmProps) {
  return (
    <Dialog title={of.title} onClose={of.onClose}>
      <p>{of.text}</p>
      {of.code && <pre {...SCROLLS}>{of.code}</pre>}
      <div class="buttons">
        <button type="button" onClick={of.onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            of.onYes()
            of.onClose()
          }}
        >
          {of.yes}
        </button>
      </div>
    </Dialog>
  )
}
