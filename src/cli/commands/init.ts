import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import type { Cli } from '../cli.js'
import { note, result } from '../print.js'

const TYPE = 'Finder'
const NICKNAME = 'finder'
/** What the scripts of the package.json need. `npm install hysas` brought no more than the first. */
const PACKAGES = ['hysas', 'typescript', '@types/node']

export function registerInit(program: Command, cli: Cli): Command {
  return program
    .command('init')
    .description('make a project of your own in this folder: package.json, tsconfig, processors, config')
    .action(() => init(cli))
}

async function init(cli: Cli): Promise<void> {
  const [{ starter, writeNew }, { projectPackage }, templates] = await Promise.all([
    import('../scaffold.js'),
    import('../package-json.js'),
    import('../templates.js'),
  ])
  const at = (...path: string[]) => join(cli.cwd, ...path)
  const { text, isNew } = projectPackage(cli.cwd)
  const written = await writeNew(cli.cwd, {
    [at('tsconfig.json')]: templates.tsconfig,
    [at('.gitignore')]: templates.gitignore,
    [at('README.md')]: templates.readme(basename(cli.cwd), TYPE, NICKNAME),
    [at('config', `${NICKNAME}.json`)]: `${JSON.stringify({ hear: 'lines', word: 'error' }, undefined, 2)}\n`,
    ...(await starter(at('processors'), TYPE, 'longRunning')),
    ...(isNew && { [at('package.json')]: text }),
  })
  if (!isNew) await writeFile(at('package.json'), text)
  const completed = isNew ? [] : ['package.json']
  result(cli, { written, completed }, () =>
    [...written.map((path) => `wrote      ${path}`), ...completed.map((path) => `completed  ${path}`)].join('\n'),
  )
  const next = [`npx hysas up`, `npx hysas start ${TYPE} ${NICKNAME}    (in a second terminal)`, 'npm test']
  if (!PACKAGES.every((name) => existsSync(at('node_modules', name)))) next.unshift('npm install')
  note(cli, (paint) => `\nNext:\n${next.map((line) => `  ${paint.bold(line)}`).join('\n')}`)
}
