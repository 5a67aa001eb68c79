import type { Settings } from '../config/settings.js'
import { type CommandContext, execute } from '../fleet/commands.js'
import { readWorker } from '../fleet/fleet.js'
import { offerOf } from '../fleet/nodes.js'
import { admit, drawRevision } from '../redis/fleet-scripts.js'

/**
 * Wants the workers that come with the system: `Monitor` always, which nobody may stop; `Process` where the databases `raw`
 * and `event` are configured. Those that are wanted already stay as they are. Where the databases are configured no more,
 * and no other node is up that might have them, `Process` is stopped: it could only crash.
 */
export async function ensureSystem(context: CommandContext, settings: Settings): Promise<void> {
  await want(context, 'Monitor')
  if (settings.databases.raw && settings.databases.event) await want(context, 'Process')
  else if ((await context.nodes(true)).length === 1) await stopProcess(context)
}

async function want(context: CommandContext, name: string): Promise<void> {
  const { redis, names, queues } = context
  const offer = offerOf(await context.nodes(true), name)
  if (!offer) return
  const { revision } = await drawRevision(redis, names, name, 1000)
  const { verdict, previousRevision } = await admit(redis, names, {
    op: 'start',
    nickname: name,
    revision,
    type: name,
    params: '{}',
    by: 'system',
    system: name === 'Monitor',
    kind: offer.kind,
    isolation: offer.isolation,
    patient: false,
    foreignSeen: true,
  })
  if (verdict !== 'admitted' && verdict !== 'taken') return
  const { kind, every, cron, timezone } = offer
  const of = verdict === 'admitted' ? revision : previousRevision
  await queues.addWorker({ type: name, nickname: name, revision: of, kind, every, cron, timezone })
}

/** Not one that an operator has started from a file of his own: that may need other databases, or none. */
async function stopProcess(context: CommandContext): Promise<void> {
  const worker = await readWorker(context.redis, context.names, 'Process')
  if (!worker?.wanted || worker.system || worker.type !== 'Process') return
  const isOurs = worker.by === 'system' || offerOf(await context.nodes(false), 'Process')?.builtin
  if (isOurs) await execute(context, 'stop', { nickname: 'Process', by: 'system' })
}
