import type { CommandOutcome, LogLine } from '../../fleet/views.js'

/** What the API refuses, in its words. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
    readonly code: string,
  ) {
    super(message)
  }
}

export const startWorker = (type: string, nickname: string, params: object): Promise<CommandOutcome> =>
  post('/workers', { type, nickname, params })
export const stopWorker = (nickname: string): Promise<CommandOutcome> => post(`/workers/${nickname}/stop`)
export const restartWorker = (nickname: string): Promise<CommandOutcome> => post(`/workers/${nickname}/restart`)
export const readLog = (nickname: string): Promise<LogLine[]> => ask(`/workers/${nickname}/logs?limit=100`)
export const readSession = (): Promise<{ role: 'viewer' | 'operator' }> => ask('/session')

function post<T>(path: string, body: object = {}): Promise<T> {
  return ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, init)
  } catch {
    throw new ApiError('The node that serves this page does not answer.', 'It may be ending; try again.', 'UNREACHABLE')
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return body as T
  const { message, remedy, code } = (body ?? {}) as { message?: string; remedy?: string; code?: string }
  throw new ApiError(message ?? `The server answered ${response.status}.`, remedy ?? '', code ?? '')
}
