import type { CommandOutcome } from '../../fleet/views.js'
import type { StoredEvent } from '../../store/types.js'
import type { HistoryView } from '../history.js'

/** What the API refuses, in its words. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
    readonly code: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
  }
}

/** Paths are relative, so that they are right under any base path. */
export const API = 'api/v1'
/** No command takes so long: the node gives up waiting for its effect after 10 s. */
const ANSWER_MS = 30_000

export const startWorker = (type: string, nickname: string, params: object): Promise<CommandOutcome> =>
  post('/workers', { type, nickname, params })
export const stopWorker = (nickname: string): Promise<CommandOutcome> => post(`/workers/${nickname}/stop`)
export const restartWorker = (nickname: string): Promise<CommandOutcome> => post(`/workers/${nickname}/restart`)
export const callOperation = (nickname: string, operation: string, args: object): Promise<{ value: unknown }> =>
  post(`/workers/${nickname}/operations/${encodeURIComponent(operation)}`, { args })
export const readHistory = (nickname: string, signal: AbortSignal): Promise<HistoryView> =>
  ask(`/workers/${encodeURIComponent(nickname)}/history`, { signal })
export const readSession = (): Promise<{ role: 'viewer' | 'operator' }> => ask('/session')
export const readEvents = (query: string, signal: AbortSignal): Promise<StoredEvent[]> =>
  ask(`/events?${query}`, { signal })
export const countEvents = (
  query: string,
  signal: AbortSignal,
): Promise<{ time: number; kind: string; count: number }[]> => ask(`/events/counts?${query}`, { signal })

/** What went wrong, for people. */
export function wordsOf(error: unknown): { text: string; remedy: string } {
  if (error instanceof ApiError) return { text: error.message, remedy: error.remedy }
  return { text: error instanceof Error ? error.message : String(error), remedy: '' }
}

async function post<T>(path: string, body: object = {}): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  const headers = { 'content-type': 'application/json' }
  try {
    return await ask(path, { method: 'POST', headers, body: JSON.stringify(body), signal })
  } catch (error) {
    if (!signal.aborted || error instanceof ApiError) throw error
    const remedy = 'It may have been carried out all the same: look at the worker before you try again.'
    throw new ApiError('No answer came within 30 s.', remedy, 'UNREACHABLE')
  }
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(API + path, init)
  } catch (error) {
    if (init?.signal?.aborted) throw error
    throw new ApiError('The node that serves this page does not answer.', 'It may be ending; try again.', 'UNREACHABLE')
  }
  if (response.ok) return (await response.json()) as T
  const body: unknown = await response.json().catch(() => undefined)
  const { message, remedy, code, details } = (body ?? {}) as Partial<ApiError>
  throw new ApiError(message ?? `The server answered ${response.status}.`, remedy ?? '', code ?? '', details)
}
