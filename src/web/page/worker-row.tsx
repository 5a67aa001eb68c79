import { Component } from 'preact'
import { Buttons, type Commands } from './commands.js'
import type { PageWorker } from './fleet.js'
import { clean, count, rate } from './format.js'
import { hrefOf } from './route.js'
import { isExpected } from './state.js'
import { Age, Status } from './status.js'

interface RowProps {
  worker: PageWorker
  /** Its place in the whole table, for screen readers. */
  index: number
  operator: boolean
  busy: boolean
  commands: Commands
}

/** One worker; its name leads to all that is known of it. Drawn again only where something of it has changed. */
export class WorkerRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { worker, index, operator, busy } = this.props
    return worker !== next.worker || index !== next.index || operator !== next.operator || busy !== next.busy
  }

  override render({ worker, index, operator, commands }: RowProps) {
    const { nickname, type, system, foreign, isolation, lost, dropped } = worker
    const idle = !isExpected(worker)
    return (
      <tr class={idle ? 'idle' : ''} data-nickname={nickname} data-row aria-rowindex={index}>
        <th scope="row">
          <a class="name" href={hrefOf('worker', nickname)}>
            {clean(nickname)}
          </a>
          <span class="type">
            {clean(type)}
            {system && <span class="tag">system</span>}
            {isolation === 'shared' && <span class="tag">shared</span>}
            {foreign && <span class="tag">Python</span>}
          </span>
        </th>
        <td data-label="Status">
          <Status worker={worker} />
        </td>
        <td data-label="Node">
          <span class="cut">{clean(worker.node) || '–'}</span>
        </td>
        <td data-label="Heartbeat" class="n">
          <Age worker={worker} />
        </td>
        <td data-label="In" class="n">
          <Flow perSecond={worker.rate_in} total={worker.received} idle={idle} />
        </td>
        <td data-label="Out" class="n">
          <Flow perSecond={worker.rate_out} total={worker.published} idle={idle} />
        </td>
        <td data-label="Lost" class="n">
          <span class={lost + dropped > 0 ? 'late' : ''} {...(dropped > 0 && { title: lossText(worker) })}>
            {count(lost + dropped)}
          </span>
        </td>
        <td data-label="Restarts" class="n">
          {count(worker.restarts)}
        </td>
        <td data-label="Memory" class="n">
          {worker.memory_mb === null || idle ? '–' : `${Math.round(worker.memory_mb)} MB`}
        </td>
        <td data-label="Delay" class="n">
          {worker.loop_delay_ms === null || idle ? '–' : `${worker.loop_delay_ms.toFixed(1)} ms`}
        </td>
        <td class="actions">
          <Buttons worker={worker} operator={operator} commands={commands} />
        </td>
      </tr>
    )
  }
}

const lossText = ({ lost, dropped }: PageWorker): string =>
  `${count(lost)} never came, ${count(dropped)} came too fast and were dropped`

function Flow({ perSecond, total, idle }: { perSecond: number; total: number; idle: boolean }) {
  return (
    <>
      {idle ? '–' : `${rate(perSecond)}/s`} <span class="total">{count(total)}</span>
    </>
  )
}
