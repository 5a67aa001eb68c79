import type { WorkerView } from '../../src/fleet/views.js'
import type { StoredEvent } from '../../src/store/types.js'

export function aWorker(of: Partial<WorkerView> = {}): WorkerView {
  return {
    type: 'Demo',
    nickname: 'DemoName',
    status: 'started',
    wanted: true,
    system: false,
    kind: 'long-running',
    isolation: 'process',
    node: 'n',
    pid: 1,
    epoch: 1,
    revision: 1,
    heart_beat: 1,
    age: 0.5,
    heart_beat_interval: 1,
    started_at: 1,
    published: 0,
    received: 0,
    errors: 0,
    restarts: 0,
    memory_mb: null,
    loop_delay_ms: null,
    error_msg: '',
    stop_info: '',
    stop_time: null,
    next_start_at: null,
    data_feeder: [],
    follower: [],
    threads: {},
    version: 'v',
    progress: null,
    last_tick: null,
    next_tick: null,
    ticks: 0,
    skipped: 0,
    missed: 0,
    by: '',
    since: null,
    params: {},
    ...of,
  }
}

export function anEvent(of: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: '1-0',
    time: 1,
    kind: 'started',
    severity: 'info',
    type: 'Demo',
    nickname: 'DemoName',
    node: '',
    epoch: 1,
    source: '',
    message: '',
    data: null,
    key: '',
    ...of,
  }
}
