import { z } from 'zod'
import { FOLLOWS, type Follow } from './follows.js'
import type { Route } from './routes.js'
import { problem } from './schemas.js'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 description of the routes and the stream, generated from their schemas. */
export function openapiOf(routes: readonly Route[], basePath = ''): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) }
  }
  paths['/stream'] = { get: STREAM }
  for (const follow of Object.values<Follow>(FOLLOWS)) paths[follow.path] = { get: streamOperation(follow) }
  paths['/openapi.json'] = { get: { summary: 'This description.', responses: { 200: { description: 'OpenAPI 3.1' } } } }
  return {
    openapi: '3.1.0',
    info: {
      title: 'HySAS',
      version: '1',
      description:
        'Every request needs a token: the header `Authorization: Bearer <token>`, or the cookie that the page has. The viewer token may only GET.',
    },
    servers: [{ url: `${basePath}/api/v1` }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'hysas_<role>_<fleet>',
          description: 'Got by opening /login?token=',
        },
      },
      responses: { Error: { description: 'Why not, and what to do about it', content: asJson(problem, 'output') } },
    },
  }
}

const STREAM: Json = {
  summary:
    'Server-sent events: first `snapshot`, then `workers`, `nodes`, `gone`, `types`, `flows`, `events`, `state`, and `ping` every 3 s.',
  responses: {
    200: {
      description: 'A stream that does not end',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    default: { $ref: '#/components/responses/Error' },
  },
}

function streamOperation({ summary, role, params, query }: Follow): Json {
  return {
    summary,
    'x-role': role,
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    responses: STREAM.responses,
  }
}

function operation(route: Route): Json {
  const content: Json = asJson(route.response, 'output')
  if (route.query && 'format' in route.query.shape) content['text/csv'] = { schema: { type: 'string' } }
  return {
    summary: route.summary,
    description: `For the role ${route.role}.`,
    'x-role': route.role,
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(route.body && { requestBody: { required: hasRequired(route.body), content: asJson(route.body, 'input') } }),
    responses: {
      [route.status ?? 200]: { description: 'Done', content },
      ...(route.body && 'noWait' in route.body.shape && { 202: { description: 'Queued (`noWait`)', content } }),
      default: { $ref: '#/components/responses/Error' },
    },
  }
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema,
  }))
}

const hasRequired = (schema: z.ZodObject): boolean =>
  ((schemaOf(schema, 'input') as { required?: string[] }).required?.length ?? 0) > 0

const asJson = (schema: z.ZodType, io: 'input' | 'output'): Json => ({
  'application/json': { schema: schemaOf(schema, io) },
})

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  return rest as Json
}
