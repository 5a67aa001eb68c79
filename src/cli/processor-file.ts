import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Settings } from '../config/settings.js'
import type { ProcessorManifest } from '../contract.js'
import { HysasError, messageOf, nearest } from '../errors.js'
import { findCandidates } from '../node/candidates.js'
import { ownPackage } from '../node/package-root.js'
import { definitionOf } from '../sandbox/definition.js'
import { manifestOf } from '../sandbox/manifest.js'
import type { Testable } from '../testing.js'

/** The file of a type: the user's own before the built-in ones. @throws HysasError NO_PROCESSOR, BAD_PROCESSOR */
export async function fileOfType(type: string, settings: Settings): Promise<string> {
  const builtin = join(ownPackage().root, 'processors')
  const { byType } = await findCandidates(settings.processors, builtin)
  const found = byType.get(type)?.[0]
  if (found?.refused) throw new HysasError('BAD_PROCESSOR', { file: found.file, reason: found.refused })
  if (found) return found.file
  const folders = [...settings.processors, 'the built-in ones'].join(', ')
  throw new HysasError('NO_PROCESSOR', { type, folders, nearest: nearest(type, byType.keys()) })
}

/** Imports a bundle into this process. @throws HysasError BAD_PROCESSOR */
export async function loadBundle(
  bundle: string,
  file: string,
): Promise<{ processor: Testable; manifest: ProcessorManifest }> {
  try {
    const definition = definitionOf(await import(pathToFileURL(bundle).href))
    const processor: Testable = definition.kind === 'plain' ? definition.run : definition.processor
    return { processor, manifest: manifestOf(definition) }
  } catch (error) {
    throw new HysasError('BAD_PROCESSOR', { file, reason: messageOf(error) }, { cause: error })
  }
}
