import { execFile } from 'node:child_process'
import { join } from 'node:path'

/** Writes dist/types. Resolves to what went wrong, or undefined. */
export function declarations(root, dist) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(dist, 'types')]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout) => {
      resolve(error ? stdout.trim().split('\n').slice(0, 3).join('\n') || error.message : undefined)
    })
  })
}
