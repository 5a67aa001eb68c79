// Ends the program with a remedy where Node is too old. Written so that old versions can read it.
var wanted = require('../package.json')
  .engines.node.replace(/[^0-9.]/g, '')
  .split('.')
  .map(Number)
var given = process.versions.node.split('.').map(Number)

if (given[0] < wanted[0] || (given[0] === wanted[0] && given[1] < wanted[1])) {
  console.error(
    'HySAS needs Node ' +
      wanted.join('.') +
      ' or later; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ').',
  )
  console.error('Install a newer one from https://nodejs.org, or by a version manager: nvm install 22')
  process.exit(1)
}
