import { clock, moment, utc } from './format.js'

/** Local time, with that of the whole world on hover. */
export const Time = ({ ms, short }: { ms: number; short?: boolean }) => (
  <time dateTime={new Date(ms).toISOString()} title={utc(ms)}>
    {short ? clock(new Date(ms)) : moment(ms)}
  </time>
)
