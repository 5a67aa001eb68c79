import { spawnSync } from 'node:child_process'
import { isOnPath, manager } from './programs.mjs'
import { bold, runVisibly, say, warn } from './terminal.mjs'

/**
 * Installs programs by the system's package manager, as root or by a sudo that asks nothing. Where that may not be,
 * prints the one command to type and returns false. No service runs or is enabled afterwards that was not before.
 */
export async function installPrograms(programs) {
  const by = manager()
  if (!by) return giveUp(`Please install ${programs.map(({ names }) => names.join(' or ')).join(', ')} by hand.`)
  const prefix = elevation(by)
  if (!prefix) return giveUp(`Please type:\n\n    ${bold(commandFor(by, programs))}\n`)
  const [command, ...args] = [...prefix, 'sh', '-c', scriptFor(by, programs)]
  const names = programs.map(({ names }) => names[0]).join(', ')
  return (
    (await runVisibly(`Installing ${names} by ${by.name}`, command, args)) ||
    giveUp(`By hand it would be:\n\n    ${bold(commandFor(by, programs))}\n`)
  )
}

function giveUp(text) {
  warn('Not everything that is needed can be installed from here.')
  say(text)
  return false
}

/** What to put before a command to have the right to install; undefined where there is none. */
function elevation(by) {
  if (by.asUser || process.getuid?.() === 0) return []
  const { status } = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  return status === 0 ? ['sudo', '-n'] : undefined
}

function commandFor(by, programs) {
  const install = `${by.install} ${programs.map(({ packages }) => packages[by.name][0]).join(' ')}`
  const steps = by.update ? [by.update, install] : [install]
  if (by.asUser || process.getuid?.() === 0) return steps.join(' && ')
  return isOnPath('sudo') ? steps.map((step) => `sudo ${step}`).join(' && ') : `su -c "${steps.join(' && ')}"`
}

/**
 * One shell script for all of it, since it may have to run by sudo. While it installs, Debian's policy file keeps
 * services from being started (one that is there already is left alone); afterwards every service that was not enabled
 * or not running before, also one that came as a dependency, is disabled and stopped again.
 */
function scriptFor(by, programs) {
  return `
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
policy=/usr/sbin/policy-rc.d
trap 'exit 130' INT TERM HUP
if [ -d /etc/init.d ] && [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod 755 "$policy"
fi
has() { command -v "$1" >/dev/null 2>&1; }
enabled() {
  for link in /etc/systemd/system/*.wants/* /etc/rc[2-5].d/S*; do
    [ -L "$link" ] || continue
    name=\${link##*/}
    case "$link" in /etc/rc*) name=\${name#S??}.service ;; esac
    echo "$name"
  done | sort -u
}
running() { systemctl list-units --type=service,socket,timer --state=active --plain --no-legend 2>/dev/null | cut -d' ' -f1; }
were_enabled=" $(enabled | tr '\\n' ' ') "
were_running=" $(running | tr '\\n' ' ') "
${by.update ?? ':'} || echo 'The lists of packages could not be refreshed; going on with what is known.'
failed=0
${programs.map(({ packages }) => installLine(by, packages[by.name])).join('\n')}
for unit in $(running); do
  case "$were_running" in *" $unit "*) ;; *) systemctl stop "$unit" ;; esac
done
for unit in $(enabled); do
  case "$were_enabled" in *" $unit "*) continue ;; esac
  if has systemctl; then systemctl disable "$unit"
  elif has update-rc.d; then update-rc.d "\${unit%.service}" disable; fi
done
exit $failed
`
}

/** The first of the alternatives that can be installed. */
function installLine(by, alternatives) {
  return `${alternatives.map((names) => `${by.install} ${names}`).join(' || ')} || failed=1`
}
