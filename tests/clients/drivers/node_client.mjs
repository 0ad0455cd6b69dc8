// Runs Segment's Node library: node_client.mjs FOLDER MODULE URL KEY WHAT. It prints one JSON object: the status of
// every answer that the library got, and the errors that it reported. Ending at all shows that the flush returned.
import { createRequire } from 'node:module'

const [folder, module, url, key, what] = process.argv.slice(2)
const statuses = []
const errors = []
const send = globalThis.fetch
globalThis.fetch = async (...request) => {
  const answer = await send(...request)
  statuses.push(answer.status)
  console.error('status ' + answer.status)
  return answer
}

const { Analytics } = createRequire(folder + '/')(module)
const client = new Analytics({ writeKey: key, host: url, maxRetries: 3 })
client.on('error', (error) => errors.push({ code: error.code, message: String(error.reason ?? '') }))

if (what === 'everything') {
  const traits = { email: 'ann@example.com', age: 31, address: { city: 'Berlin' }, langs: ['de', 'en'] }
  client.identify({ userId: 'ann', traits })
  const timestamp = new Date('2026-03-01T12:00:00Z')
  const properties = { total: 59.9, products: [{ id: 'p1' }] }
  client.track({ userId: 'ann', event: 'Order Placed', properties, timestamp })
  client.track({ userId: 'ann', event: 'Seen' })
  client.page({ userId: 'ann', category: 'Shop', name: 'Home', properties: { url: 'https://example.com/' } })
  client.screen({ userId: 'ann', category: 'Shop', name: 'Cart', properties: { items: 2 } })
  client.group({ userId: 'ann', groupId: 'initech', traits: { plan: 'pro' } })
  client.alias({ userId: 'ann', previousId: 'a-1' })
} else {
  client.track({ userId: 'ann', event: '$reserved' })
  client.identify({ userId: 'ann', traits: { email: 'ann@example.com', companies: [{ id: 'c1' }] } })
  client.track({ userId: 'ann', event: 'Seen' })
}
await client.closeAndFlush({ timeout: 30_000 })
console.log(JSON.stringify({ statuses, errors }))
