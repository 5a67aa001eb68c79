import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { STATUSES } from '../contract.js'

/** What a node knows of a worker that it hosts. */
export interface LocalWorkerStats {
  nickname: string
  type: string
  status: string
  /** Since the run began. */
  published: number
  received: number
  errors: number
  lost: number
  memory_mb: number | null
  loop_delay_ms: number | null
  /** Null where nobody knows: Redis is away. */
  restarts: number | null
  /** Seconds since its last heartbeat. */
  age: number | null
}

export interface NodeState {
  name: string
  /** Is Redis there, and can workers be taken? */
  ready(): boolean
  workers(): LocalWorkerStats[] | Promise<LocalWorkerStats[]>
}

/** Prometheus text of a node and its own workers: what other nodes host is to be read there. */
export function metricsOf(node: NodeState): { contentType: string; text(): Promise<string>; close(): void } {
  const registry = new Registry()
  registry.setDefaultLabels({ node: node.name })
  collectDefaultMetrics({ register: registry, prefix: 'hysas_node_' })
  const registers = [registry]
  const labelNames = ['type', 'nickname'] as const

  const gauges = {
    age: gauge('hysas_worker_heartbeat_age_seconds', 'Seconds since the last heartbeat'),
    memory_mb: gauge('hysas_worker_memory_megabytes', 'Resident memory of the process'),
    loop_delay_ms: gauge('hysas_worker_event_loop_delay_milliseconds', 'Event-loop delay, 99th percentile'),
    restarts: gauge('hysas_worker_restarts', 'Runs that ended by themselves since the last start command'),
  }
  const counters = {
    published: counter('hysas_worker_published_total', 'Messages published since the run began'),
    received: counter('hysas_worker_received_total', 'Messages received since the run began'),
    errors: counter('hysas_worker_errors_total', 'Errors counted since the run began'),
    lost: counter('hysas_worker_messages_lost_total', 'Messages of other workers that never came, since the run began'),
  }
  const status = new Gauge({
    name: 'hysas_worker_status',
    help: '1 for the status that the worker has',
    labelNames: [...labelNames, 'status'],
    registers,
  })
  const hosted = new Gauge({ name: 'hysas_node_workers', help: 'Workers hosted', registers })
  const ready = new Gauge({ name: 'hysas_node_ready', help: '1 while Redis answers', registers })

  function gauge(name: string, help: string) {
    return new Gauge({ name, help, labelNames, registers })
  }
  function counter(name: string, help: string) {
    return new Counter({ name, help, labelNames, registers })
  }

  return {
    contentType: registry.contentType,
    async text() {
      const workers = await node.workers()
      // Reset, so that a worker that has left leaves no series behind.
      for (const metric of [...Object.values(gauges), ...Object.values(counters), status]) metric.reset()
      for (const worker of workers) {
        const labels = { type: worker.type, nickname: worker.nickname }
        for (const key of ['age', 'memory_mb', 'loop_delay_ms', 'restarts'] as const) {
          const value = worker[key]
          if (value !== null) gauges[key].set(labels, value)
        }
        for (const key of ['published', 'received', 'errors', 'lost'] as const) counters[key].inc(labels, worker[key])
        for (const name of STATUSES) status.set({ ...labels, status: name }, worker.status === name ? 1 : 0)
      }
      hosted.set(workers.length)
      ready.set(node.ready() ? 1 : 0)
      return registry.metrics()
    },
    close: () => registry.clear(),
  }
}
