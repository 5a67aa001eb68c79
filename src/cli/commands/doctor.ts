import type { Command } from 'commander'
import { HysasError } from '../../errors.js'
import { type Cli, Failures } from '../cli.js'
import { settingsOf } from '../connect.js'
import type { Finding } from '../finding.js'
import { clean, type Paint, result } from '../print.js'
import { waiting } from '../waiting.js'

export function registerDoctor(program: Command, cli: Cli): Command {
  return program
    .command('doctor')
    .description('check Node, Redis, database, ports and processors of this folder; exit 1 if there is a problem')
    .action(() => doctor(cli))
}

async function doctor(cli: Cli): Promise<void> {
  const findings = await waiting(cli, 'looking', examineHere(cli))
  result(cli, findings, (paint) => findings.map((finding) => findingLine(finding, paint)).join('\n'))
  if (findings.some((finding) => !finding.ok)) throw new Failures([])
}

async function examineHere(cli: Cli): Promise<Finding[]> {
  const [{ checkNode, examine }, { problem }] = await Promise.all([import('../doctor.js'), import('../finding.js')])
  const { locateRedis } = await import('../../config/locate.js')
  try {
    const settings = await settingsOf(cli)
    const found = await locateRedis(settings, cli.cwd).catch(nowhere)
    return await examine({ settings, redisUrl: found?.url, redisSource: found?.source ?? '' })
  } catch (error) {
    return [await checkNode(), problem('settings', error)] // nothing else can be looked at
  }
}

function nowhere(error: unknown): undefined {
  if (error instanceof HysasError && error.code === 'NO_REDIS_KNOWN') return undefined
  throw error
}

function findingLine({ name, ok, text, remedy }: Finding, paint: Paint): string {
  const word = ok ? paint.green('ok     ') : paint.red('problem')
  const line = `${word}  ${name.padEnd(12)}  ${clean(text)}`
  return remedy ? `${line}\n${' '.repeat(23)}${paint.dim(`→ ${clean(remedy)}`)}` : line
}
