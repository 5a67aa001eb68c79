import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import type { Cli } from '../../src/cli/cli.js'
import { createProgram } from '../../src/cli/program.js'
import { page, rows, sections } from './sections.js'

const cli = { stdout: new PassThrough(), stderr: new PassThrough() } as unknown as Cli
const commands = createProgram(cli).commands.filter((command) => command.name() !== 'help')
const described = sections(page('cli.md'), 3)

describe('docs/cli.md', () => {
  it('has one section for every command, and no other', () => {
    expect([...described.keys()].sort()).toEqual(commands.map(headingOf).sort())
  })

  it.each(commands.map((command) => [command.name(), command] as const))('lists the options of %s', (_, command) => {
    const table = rows(described.get(headingOf(command)) ?? '')
    const listed = table.filter(([name]) => name?.startsWith('`-')).map(([name]) => name)
    expect(listed).toEqual(command.options.filter(({ long }) => long !== '--json').map(({ flags }) => `\`${flags}\``))
  })
})

function headingOf(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return ['hysas', command.name(), ...args].join(' ')
}
