// Drives tardis-dev, unchanged: `stream` against addresses set by environment, `map` and `bench` on frames from a file.
'use strict'
const fs = require('fs')
const readline = require('readline')
const { stream, normalizeLiquidations, normalizeDerivativeTickers } = require('tardis-dev')

// Only what these venues' WebSockets carry: openInterest of Binance is polled from an address that cannot be set.
const CHANNELS = {
  'binance-futures': ['forceOrder', 'markPrice'],
  'binance-delivery': ['forceOrder', 'markPrice'],
  bybit: ['allLiquidation', 'tickers'],
  'okex-swap': ['liquidation-orders', 'funding-rate', 'mark-price', 'open-interest'],
  'okex-futures': ['liquidation-orders', 'mark-price', 'open-interest'],
  bitmex: ['liquidation'],
  deribit: ['trades'],
  'bitfinex-derivatives': ['liquidations'],
  cryptofacilities: ['trade'],
  'huobi-dm': ['liquidation_orders', 'contract_info'],
  'huobi-dm-swap': ['liquidation_orders'],
  'huobi-dm-linear-swap': ['liquidation_orders'],
  'dydx-v4': ['v4_trades']
}

const mappersOf = (exchange, at) => [normalizeLiquidations(exchange, at), normalizeDerivativeTickers(exchange, at)]

function said(mappers, message, at) {
  const found = []
  for (const mapper of mappers) if (mapper.canHandle(message)) for (const each of mapper.map(message, at) || []) found.push(each)
  return found
}

function reads(exchange) {
  try {
    return normalizeLiquidations(exchange, new Date()) !== undefined
  } catch {
    return false
  }
}

const ms = (date) => (date === undefined ? undefined : date.valueOf())

const plain = ({ type, id, symbol, side, price, amount, fundingRate, fundingTimestamp, markPrice, openInterest, timestamp }) => ({
  kind: type === 'liquidation' ? 'liquidation' : 'ticker',
  id, symbol, side, price, amount, timestamp: ms(timestamp),
  funding_rate: fundingRate, next_funding_ms: ms(fundingTimestamp), mark_price: markPrice, open_interest: openInterest
})

const print = (line) => process.stdout.write(JSON.stringify(line) + '\n')

async function live(exchange, symbols) {
  const lower = exchange.startsWith('binance')
  const coins = exchange === 'huobi-dm' // as its own mapper asks for the liquidations of what is delivered
  const spelled = symbols.map((each) => (lower ? each.toLowerCase() : coins ? each.replace(/[0-9]+$/, '') : each))
  const filters = CHANNELS[exchange].map((channel) => ({ channel, symbols: spelled }))
  const onError = (error) => print({ error: String(error.message || error) })
  let mappers
  for await (const each of stream({ exchange, filters, timeoutIntervalMS: 60000, withDisconnects: true, onError })) {
    if (each === undefined) mappers = undefined
    else {
      mappers = mappers || mappersOf(exchange, each.localTimestamp)
      print({ frame: JSON.stringify(each.message), said: said(mappers, each.message, each.localTimestamp).map(plain) })
    }
  }
}

async function map() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { exchange, frame, at, primer } = JSON.parse(line)
    try {
      const mappers = mappersOf(exchange, new Date(at))
      if (primer) said(mappers, JSON.parse(frame), new Date(at))
      print({ said: said(mappers, JSON.parse(frame), new Date(at)).map(plain) })
    } catch (error) {
      print({ said: [], error: String(error.message || error) })
    }
  }
}

function linesOf(file) {
  const bytes = fs.readFileSync(file)
  const lines = []
  for (let start = 0, end; (end = bytes.indexOf(10, start)) >= 0; start = end + 1) if (end > start) lines.push(bytes.subarray(start, end))
  return lines
}

// Frames a second of processor time: bytes to text to normalised objects, as its replay.js has it but without the await a
// message that its public generators cost; kept in batches of 5,000; the best round after the first.
function bench(exchange, kind, file, rounds) {
  const lines = linesOf(file)
  const normalize = kind === 'liquidation' ? normalizeLiquidations : normalizeDerivativeTickers
  let best = 0
  let rows = 0
  for (let round = 0; round <= rounds; round++) {
    const mapper = normalize(exchange, new Date())
    let kept = []
    let count = 0
    const began = process.cpuUsage()
    for (const line of lines) {
      const message = JSON.parse(line.toString())
      if (mapper.canHandle(message)) for (const each of mapper.map(message, new Date())) kept.push(each)
      if (kept.length >= 5000) {
        count += kept.length
        kept = []
      }
    }
    const { user, system } = process.cpuUsage(began)
    if (round > 0) best = Math.max(best, (lines.length * 1e6) / (user + system))
    rows = count + kept.length
  }
  print({ frames_per_s: best, rows })
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === 'stream') live(rest[0], rest[1].split(','))
else if (mode === 'map') map()
else if (mode === 'reads') print(rest.filter(reads))
else if (mode === 'bench') bench(rest[0], rest[1], rest[2], Number(rest[3]))
else throw new Error(`no mode ${mode}`)
