/** What nodes tell each other over the wake channel: `wedged` with the epoch that is meant, a change of the fleet with its version. */
export interface WakeMessage {
  what?: string
  type?: string
  nickname?: string
  epoch?: number
  version?: number
}

/** Whoever reaches Redis may publish there: what is no such message is an empty one. */
export function readWake(raw: string): WakeMessage {
  let given: unknown
  try {
    given = JSON.parse(raw)
  } catch {
    return {}
  }
  const { what, type, nickname, epoch, version } = (
    typeof given === 'object' && given !== null ? given : {}
  ) as WakeMessage
  return {
    ...(typeof what === 'string' && { what }),
    ...(typeof type === 'string' && { type }),
    ...(typeof nickname === 'string' && { nickname }),
    ...(typeof epoch === 'number' && { epoch }),
    ...(typeof version === 'number' && { version }),
  }
}
