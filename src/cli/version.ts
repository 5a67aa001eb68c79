import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownPackage } from '../node/package-root.js'

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(ownPackage().root, 'package.json'), 'utf8')) as { version: string }).version
}
