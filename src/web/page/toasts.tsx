export interface Toast {
  id: number
  text: string
  remedy?: string
  bad?: boolean
}
export type Say = (toast: Omit<Toast, 'id'>) => void

/** What became of what the operator did; read out by screen readers too. */
export function Toasts({ toasts, onClose }: { toasts: readonly Toast[]; onClose: (id: number) => void }) {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.map(({ id, text, remedy, bad }) => (
        <div key={id} class={bad ? 'toast bad' : 'toast'} role={bad ? 'alert' : undefined}>
          <div>
            <p>{text}</p>
            {remedy && <p class="remedy">{remedy}</p>}
          </div>
          <button type="button" class="plain" onClick={() => onClose(id)} aria-label="Dismiss">
            ×
          </button>
        </div>
      ))}
    </div>
  )
}
