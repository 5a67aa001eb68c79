import type { z } from 'zod'
import type { Client, CommandOptions } from '../client.js'
import type { EventStore } from '../store/types.js'
import type { Counts } from './counts.js'
import { csvOf } from './csv.js'
import { exportOf, FORMS } from './export.js'
import type { History } from './history.js'
import * as s from './schemas.js'
import type { Role } from './token.js'

/** One route of the API: all that answers, checks and describes it. */
export interface Route {
  method: 'get' | 'post'
  /** Below /api/v1, parameters in braces as OpenAPI writes them. */
  path: string
  role: Role
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodObject
  response: z.ZodType
  /** Status of success. Default 200. */
  status?: 200 | 201 | 202
  handler(of: Call): Promise<unknown>
}

export interface Call {
  client: Client
  history: History
  counts: Counts
  store: () => Promise<EventStore>
  params: Record<string, string>
  // Checked by the route's schemas before the handler sees them.
  query: unknown
  body: unknown
  /** Who asks: `web:operator 127.0.0.1`. */
  by: string
  role: Role
  /** Reports the failure of what goes on after the answer. */
  failed(error: unknown): void
}

/** An answer that isn't JSON, or a status other than the route's. A generator's pieces are sent as they are taken. */
export class Answer {
  constructor(
    readonly body: unknown,
    readonly options: { status?: number; contentType?: string; fileName?: string } = {},
  ) {}
}

const CSV = 'text/csv; charset=utf-8'

/** Every route of /api/v1 but the stream and the description itself. */
export const routes: readonly Route[] = [
  route({
    method: 'get',
    path: '/session',
    role: 'viewer',
    summary: 'What the token of this request allows.',
    response: s.session,
    handler: async ({ role }) => ({ role }),
  }),
  route({
    method: 'get',
    path: '/workers',
    role: 'viewer',
    summary: 'All workers of the fleet.',
    response: s.worker.array(),
    handler: ({ client }) => client.list(),
  }),
  route({
    method: 'post',
    path: '/workers',
    role: 'operator',
    summary: 'Starts a worker, and waits until it runs.',
    body: s.startBody,
    response: s.outcome,
    status: 201,
    handler: async ({ client, body: { type, nickname, params, ...wait }, by }) =>
      accepted(await client.start(type, nickname, params ?? {}, { ...wait, by } satisfies CommandOptions)),
  }),
  route({
    method: 'get',
    path: '/workers/{nickname}',
    role: 'viewer',
    summary: 'One worker.',
    params: s.ofNickname,
    response: s.worker,
    handler: ({ client, params }) => client.show(params.nickname),
  }),
  route({
    method: 'get',
    path: '/workers/{nickname}/logs',
    role: 'viewer',
    summary: 'The last lines of its log, oldest first.',
    params: s.ofNickname,
    query: s.logQuery,
    response: s.logLine.array(),
    handler: ({ client, params, query }) => client.logs(params.nickname, query),
  }),
  route({
    method: 'get',
    path: '/workers/{nickname}/history',
    role: 'viewer',
    summary: 'How it went in the last quarter of an hour, a point every five seconds, as this node has seen it.',
    params: s.ofNickname,
    response: s.history,
    handler: async ({ client, history, params }) => {
      await client.show(params.nickname)
      return history.of(params.nickname)
    },
  }),
  route({
    method: 'post',
    path: '/workers/{nickname}/stop',
    role: 'operator',
    summary: 'Stops a worker for good, and waits until its run has ended.',
    params: s.ofNickname,
    body: s.stopBody,
    response: s.outcome,
    handler: async ({ client, params, body, by }) => accepted(await client.stop(params.nickname, { ...body, by })),
  }),
  route({
    method: 'post',
    path: '/workers/{nickname}/restart',
    role: 'operator',
    summary: 'Ends its run and starts another, with new parameters where they are given.',
    params: s.ofNickname,
    body: s.restartBody,
    response: s.outcome,
    handler: async ({ client, params, body, by }) => accepted(await client.restart(params.nickname, { ...body, by })),
  }),
  route({
    method: 'post',
    path: '/workers/{nickname}/operations/{operation}',
    role: 'operator',
    summary: 'Calls an operation of a running worker and gives what it returned.',
    params: s.ofOperation,
    body: s.operationBody,
    response: s.returned,
    handler: async ({ client, params, body: { args, ...wait }, by }) => ({
      value: (await client.send(params.nickname, params.operation, args ?? {}, { ...wait, by })) ?? null,
    }),
  }),
  route({
    method: 'get',
    path: '/types',
    role: 'viewer',
    summary: 'All types of processors on live nodes, with the JSON Schema of their parameters.',
    response: s.typeView.array(),
    handler: ({ client }) => client.types(),
  }),
  route({
    method: 'get',
    path: '/nodes',
    role: 'viewer',
    summary: 'All live nodes.',
    response: s.node.array(),
    handler: ({ client }) => client.nodes(),
  }),
  route({
    method: 'get',
    path: '/nodes/gone',
    role: 'viewer',
    summary: 'Nodes that are gone without having said so, of the last hour.',
    response: s.goneNode.array(),
    handler: ({ client }) => client.goneNodes(),
  }),
  route({
    method: 'get',
    path: '/flows',
    role: 'viewer',
    summary: 'Who publishes what, and who hears it.',
    response: s.flow.array(),
    handler: ({ client }) => client.flows(),
  }),
  route({
    method: 'get',
    path: '/events',
    role: 'viewer',
    summary: 'Events of the event store, newest first (oldest first with `after`); `format=csv` for a table.',
    query: s.eventQuery,
    response: s.event.array(),
    handler: async ({ store, query: { format, ...query } }) => {
      const events = await (await store()).find(query)
      if (format !== 'csv') return events
      return new Answer(csvOf(events), { contentType: CSV, fileName: 'events.csv' })
    },
  }),
  route({
    method: 'get',
    path: '/events/export',
    role: 'viewer',
    summary: 'All events that fit, however many, newest first, as a file; `format=csv` for a table.',
    query: s.exportQuery,
    response: s.event.array(),
    handler: async ({ store, query: { format = 'json', ...filter } }) => {
      const contentType = format === 'csv' ? CSV : 'application/json; charset=utf-8'
      return new Answer(await exportOf(await store(), filter, FORMS[format]), {
        contentType,
        fileName: `events.${format}`,
      })
    },
  }),
  route({
    method: 'get',
    path: '/events/counts',
    role: 'viewer',
    summary: 'Number of events by kind in stretches of `bucketMs`, oldest first.',
    query: s.countQuery,
    response: s.eventCount.array(),
    handler: ({ counts, query }) => counts.of(query),
  }),
  route({
    method: 'post',
    path: '/shutdown',
    role: 'operator',
    summary: 'Ends all nodes, this one included; so it answers before it happens.',
    body: s.shutdownBody,
    response: s.acceptedBody,
    status: 202,
    handler: async ({ client, body, by, failed }) => {
      client.shutdown({ ...body, by }).catch(failed)
      return { accepted: true }
    },
  }),
]

type Empty = z.ZodObject<Record<never, z.ZodType>>

/** Gives the handler the types of the schemas; `Route` itself forgets them. */
function route<P extends z.ZodObject = Empty, Q extends z.ZodObject = Empty, B extends z.ZodObject = Empty>(
  of: Omit<Route, 'params' | 'query' | 'body' | 'handler'> & {
    params?: P
    query?: Q
    body?: B
    handler(
      of: Omit<Call, 'params' | 'query' | 'body'> & { params: z.output<P>; query: z.output<Q>; body: z.output<B> },
    ): Promise<unknown>
  },
): Route {
  return of as unknown as Route
}

/** A command that only waits in the queue is accepted, not done. */
function accepted<T extends { result: string }>(outcome: T): T | Answer {
  return outcome.result === 'queued' ? new Answer(outcome, { status: 202 }) : outcome
}
