import { useState } from 'preact/hooks'
import { keep, kept } from './kept.js'

const KEY = 'theme'
const THEMES = ['system', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

/** Light, dark, or as the system has it; this browser remembers. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(keptTheme)
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
      onClick={() => {
        keep(KEY, next)
        applyTheme()
        setTheme(next)
      }}
    >
      {{ system: '◐', light: '☀', dark: '☾' }[theme]}
    </button>
  )
}

export function applyTheme(): void {
  const theme = keptTheme()
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

const keptTheme = (): Theme => THEMES.find((one) => one === kept(KEY)) ?? 'system'
