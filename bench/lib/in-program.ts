/** What a program of bench/programs does: gets its arguments, tells what it finds, and ends with the bench. */
export async function inProgram<Args>(
  work: (args: Args, tell: (message: unknown) => void) => unknown,
  onMessage: (message: unknown) => void = () => {},
): Promise<void> {
  process.on('disconnect', () => process.exit())
  process.on('message', onMessage)
  await work(JSON.parse(process.argv[2] ?? 'null') as Args, (message) => void process.send?.(message))
}
