/** A log line, taken apart. */
export interface SyslogLine {
  /** As written; empty where the line has no header. */
  time: string
  host: string
  /** `sshd`, or `sshd-session` as of OpenSSH 9.8; empty where the line does not say. */
  program: string
  pid: string
  message: string
}

/**
 * Takes a syslog line apart: `Dec 10 06:55:46 host sshd[24200]: ...`, the same with an ISO 8601 time, RFC 5424, each
 * with or without a priority; and as BusyBox writes it. A line without a header is all message.
 */
export function parseSyslog(line: string): SyslogLine {
  const rest = line.replace(PRIORITY, '')
  const modern = RFC5424.exec(rest)
  if (modern) {
    const [, time = '', host = '', program = '', pid = '', message = ''] = modern
    return { time, host, program: baseName(program), pid: pid === '-' ? '' : pid, message }
  }
  const header = HEADER.exec(rest)
  if (!header) return { time: '', host: '', program: '', pid: '', message: rest }
  const [, time = '', host = '', after = ''] = header
  const tag = TAG.exec(after)
  if (!tag) return { time, host, program: '', pid: '', message: after }
  const [whole, program = '', pid = ''] = tag
  return { time, host, program: baseName(program), pid, message: after.slice(whole.length) }
}

const baseName = (program: string): string => program.slice(program.lastIndexOf('/') + 1)

const PRIORITY = /^<\d{1,3}>/
const RFC5424 = /^1 (\S+) (\S+) (\S+) (\S+) \S+ (?:-|(?:\[[^\]]*\])+) ?(.*)$/
const HEADER = /^([A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}:\d{2}|\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}\S*) (\S+) (.*)$/
/** BusyBox writes facility and severity before it: `auth.info sshd[24200]: `. */
const TAG = /^(?:(?:auth|authpriv|security|daemon|user|local[0-7])\.[a-z]+ )?([^\s[\]:]+)(?:\[(\d+)\])?: /
