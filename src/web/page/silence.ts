/** The server pings every 3 s: a stream that says nothing for so long is dead, though nobody has closed it. */
export const SILENT_MS = 9_000
