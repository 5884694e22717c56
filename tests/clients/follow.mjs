// node follow.mjs CLIENT URL: print each event that CLIENT makes of the stream,
// as a line of JSON. CLIENT is the name of a module that is found from here, or
// `firefox`, which is told where the page is instead (page.html).

const types = ['message', 'note', 'chat-open', 'chat-cursor', 'chat-gap']

function print(type, data, id) {
  console.log(JSON.stringify({ type, data, id }))
}

function listen(source) {
  for (const type of types) {
    source.addEventListener(type, (event) => {
      print(event.type, event.data, event.lastEventId)
    })
  }
}

const clients = {
  async eventsource(url) {
    const { EventSource } = await import('eventsource')
    listen(new EventSource(url))
  },

  async undici(url) {
    const { EventSource } = await import('undici')
    listen(new EventSource(url))
  },

  async 'launchdarkly-eventsource'(url) {
    const { EventSource } = (await import('launchdarkly-eventsource')).default
    listen(new EventSource(url))
  },

  // Made for browsers; the end of an answer is an error if its user says so.
  async '@microsoft/fetch-event-source'(url) {
    globalThis.window = globalThis
    globalThis.document = { addEventListener() {}, removeEventListener() {} }
    const module = await import('@microsoft/fetch-event-source')
    await (module.default ?? module).fetchEventSource(url, {
      openWhenHidden: true,
      onmessage: ({ event, data, id }) => print(event || 'message', data, id),
      onclose() {
        throw new Error('closed')
      },
      onerror() {},
    })
  },

  async firefox(url) {
    const { default: puppeteer } = await import('puppeteer-core')
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: process.env.FIREFOX,
      headless: true,
    })
    process.on('SIGTERM', () => browser.close().then(() => process.exit()))
    const page = await browser.newPage()
    page.on('console', (message) => console.log(message.text()))
    await page.goto(url)
  },
}

// A client that waits may not count as a reason to go on.
setInterval(() => {}, 60000)

const [client, url] = process.argv.slice(2)
await clients[client](url)
