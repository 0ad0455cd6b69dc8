// Runs Segment's browser library in a page that jsdom makes: browser_client.mjs FOLDER MODULE URL KEY WHAT HOW.
// HOW is `single` (a request for every call) or `batching`. It prints one JSON object: every request's path, content
// type and authorization, the statuses of the answers, and the errors that the library reported.
import { createRequire } from 'node:module'

const [folder, module, url, key, what, how] = process.argv.slice(2)
const load = createRequire(folder + '/')
const { JSDOM } = load('jsdom')
const page = new JSDOM('<title>Home</title>', { url: 'https://shop.example/home', pretendToBeVisual: true }).window
for (const name of ['window', 'document', 'navigator', 'location', 'localStorage', 'sessionStorage']) {
  Object.defineProperty(globalThis, name, { value: name === 'window' ? page : page[name], configurable: true })
}

const target = new URL(url)
const requests = []
const statuses = []
const errors = []
let wanted
const send = globalThis.fetch
globalThis.fetch = page.fetch = async (to, options = {}) => {
  const place = new URL(to)
  if (place.host !== target.host) throw new Error('the library calls home: ' + place.host)
  place.protocol = 'http' // TLS ends in front of ingest; an older library batches over https only
  const headers = options.headers ?? {}
  requests.push({ path: place.pathname, type: headers['Content-Type'], keyInHeader: 'Authorization' in headers })
  const answer = await send(place, options)
  statuses.push(answer.status)
  if (statuses.length === wanted) settled()
  return answer
}
let settled
const all = new Promise((resolve) => (settled = resolve))

const { AnalyticsBrowser } = load(module)
const cdnSettings = { integrations: { 'Segment.io': { apiKey: key } } }
const segmentio = { apiHost: target.host + '/v1', protocol: 'http' }
const calls = what === 'everything' ? 6 : 3
if (how === 'batching') segmentio.deliveryStrategy = { strategy: 'batching', config: { size: calls, timeout: 200 } }
wanted = how === 'batching' ? 1 : calls
const settings = { writeKey: key, cdnSettings }
const [client] = await AnalyticsBrowser.load(settings, { integrations: { 'Segment.io': segmentio } })
client.on('error', (error) => errors.push({ code: error.code, message: String(error.reason ?? '') }))

if (what === 'everything') {
  const traits = { email: 'ann@example.com', age: 31, address: { city: 'Berlin' }, langs: ['de', 'en'] }
  client.identify('ann', traits)
  client.track('Order Placed', { total: 59.9, products: [{ id: 'p1' }] })
  client.track('Seen')
  client.page('Shop', 'Home', { url: 'https://example.com/' })
  client.group('initech', { plan: 'pro' })
  client.alias('ann', 'a-1')
} else {
  client.identify('ann', { email: 'ann@example.com', companies: [{ id: 'c1' }] })
  client.track('$reserved')
  client.track('Seen')
}
await all
// what the library does with the last answer, it has done once its promises have run
await new Promise((resolve) => setImmediate(resolve))
console.log(JSON.stringify({ requests, statuses, errors, waiting: client.queue.queue.length }))
process.exit(0)
