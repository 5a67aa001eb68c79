// Preloaded into a node's own process (NODE_OPTIONS), not into its children: at SIGUSR2 it never comes back.
process.on('SIGUSR2', () => {
  for (;;);
})
