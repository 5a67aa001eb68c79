// An ordinary BullMQ sandboxed processor, as you may have it already: it runs unchanged. The worker's parameters are its
// `job.data`. When it returns, its work is done and the worker is `terminated`; when it throws, it is started again.

module.exports = async function plain(job, _token, signal) {
  const steps = job.data.steps ?? 10
  for (let step = 1; step <= steps; step++) {
    if (signal?.aborted) return { stoppedAt: step }
    await job.log(`step ${step} of ${steps}`)
    await job.updateProgress({ step, steps })
    await new Promise((resolve) => setTimeout(resolve, job.data.stepMs ?? 1000))
  }
  return { steps }
}
