import { type Browser, chromium } from 'playwright-core'
import { afterAll } from 'vitest'
import { findProgram } from './process.js'

const browsers = new Set<Browser>()

afterAll(async () => {
  await Promise.all([...browsers].map((browser) => browser.close()))
})

/** Starts the system's Chromium without a window; closed after the file's last test. Only files in test/browser/ may use it. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.HYSAS_TEST_CHROMIUM ?? findProgram('chromium', 'chromium-browser', 'google-chrome')
  if (!executablePath) throw new Error('The tests need Chromium: `node scripts/setup.mjs --test` installs it.')
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  browsers.add(browser)
  return browser
}
