// Sets up and shows the main job at work: `node scripts/demo.mjs [--reset]`.
import './node-version.cjs'
import { ROOT, setup } from './lib/setup.mjs'

const known = ['--reset', '--help']
const given = process.argv.slice(2)
const strange = given.find((word) => !known.includes(word))

if (strange || given.includes('--help')) {
  if (strange) console.error(`The demo knows no ${strange}.`)
  console.error('npm run demo             set up, start the fleet of this folder and feed it a log; Ctrl-C ends it')
  console.error('npm run demo -- --reset  remove all that the demo keeps (.hysas/ in this folder)')
  process.exitCode = strange ? 2 : 0
} else if (given.includes('--reset')) {
  const { reset } = await import('./demo/reset.mjs')
  process.exitCode = reset(ROOT) ? 0 : 1
} else if (await setup()) {
  const { demo } = await import('./demo/demo.mjs')
  process.exitCode = await demo(ROOT)
} else {
  process.exitCode = 1
}
