import type { Settings } from '../config/settings.js'
import type { CommandContext } from '../fleet/commands.js'
import { offerOf } from '../fleet/nodes.js'
import { admit, drawRevision } from '../redis/fleet-scripts.js'

/**
 * Wants the workers that belong to the system: `Monitor` always, `Process` where the databases `raw` and `event` are
 * configured. Those that are wanted already stay as they are.
 */
export async function ensureSystem(context: CommandContext, settings: Settings): Promise<void> {
  await want(context, 'Monitor')
  if (settings.databases.raw && settings.databases.event) await want(context, 'Process')
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
    system: true,
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
