import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HysasError } from '../errors.js'
import { type Candidate, findCandidates } from '../node/candidates.js'
import { compileProcessor } from '../node/compile.js'
import { ownPackage } from '../node/package-root.js'
import { probeProcessor } from '../node/probe.js'
import { type Finding, type Patient, problem } from './finding.js'
import { plural } from './format.js'

/** Can the user's own processors be compiled and imported? */
export async function processorFindings({ settings }: Patient): Promise<Finding[]> {
  const { byType, odd } = await findCandidates(settings.processors, join(ownPackage().root, 'processors'))
  const own = [...byType.values()].flatMap(([first]) => (first && !first.builtin ? [first] : []))
  const outDir = await mkdtemp(join(tmpdir(), 'hysas-doctor-'))
  try {
    const broken: Finding[] = [...odd].map(([file, reason]) => bad(file, reason))
    for (const candidate of own) broken.push(...(await look(candidate, outDir)))
    const folders = settings.processors.join(', ')
    const text = folders ? `${plural(own.length, 'processor')} in ${folders}` : 'only the built-in ones'
    return [{ name: 'processors', ok: true, text }, ...broken]
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}

async function look({ file, refused }: Candidate, outDir: string): Promise<Finding[]> {
  if (refused) return [bad(file, refused)]
  try {
    const { bundle } = await compileProcessor({ file, outDir })
    await probeProcessor({ bundle, file })
    return []
  } catch (error) {
    return [problem('processor', error)]
  }
}

function bad(file: string, reason: string): Finding {
  return problem('processor', new HysasError('BAD_PROCESSOR', { file, reason }))
}
