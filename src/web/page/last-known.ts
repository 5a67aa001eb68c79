import { useRef } from 'preact/hooks'
import type { TypeView } from '../../fleet/views.js'

/** The type, or as it was known last while no node tells of it: a form must not lose what was typed into it. */
export function useLastKnown(name: string, type: TypeView | undefined): TypeView | undefined {
  const last = useRef(type)
  if (type) last.current = type
  return last.current?.type === name ? last.current : undefined
}
