/** Can this channel be tapped? As the server has it: what else lies under the fleet's own name may carry tokens. */
export function canTap(fleet: string, channel: string): boolean {
  if (!channel.startsWith(fleet)) return true
  const rest = channel.slice(fleet.length)
  return !/^([.:]|$)/.test(rest) || /^\.Worker\.[^.]+\.[^.]+\.Pub$/.test(rest)
}
