'use strict';
// The npm client ali-ons against a running broker: sends and consumes, and checks what arrived.

const { Producer, Consumer, Message } = require('ali-ons');

const nameSrv = process.argv[2];
const run = Date.now().toString(36);
// ali-ons creates no topics: the caller has created this one.
const topic = process.argv[3];
const silent = { info() {}, debug() {}, warn() {}, error() {} };
const options = { nameSrv: [ nameSrv ], accessKeyId: 'a', accessKeySecret: 's', httpclient: {}, logger: silent };
let passed = 0;
let failed = 0;

async function check(name, body) {
  const start = Date.now();
  try {
    await body();
    passed++;
    console.log(`ok      ${name.padEnd(46)} ${String(Date.now() - start).padStart(5)} ms`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.stack}`);
  }
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function consume(group, tag, expected) {
  const received = new Map();
  const consumer = new Consumer({ ...options, consumerGroup: group + run, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' });
  consumer.on('error', () => {});
  consumer.subscribe(topic, tag, async message => {
    const body = message.body.toString();
    if (message.keys !== `key-${body}`) received.set(`keys of ${body}: ${message.keys}`, 1);
    received.set(body, (received.get(body) || 0) + 1);
  });
  await consumer.ready();
  for (let i = 0; i < 900 && received.size < expected.size; i++) await sleep(100);
  await sleep(500);
  await consumer.close();
  for (const body of expected) if (!received.has(body)) throw new Error(`${received.size} of ${expected.size}; ${body} is missing`);
  for (const body of received.keys()) if (!expected.has(body)) throw new Error(`${body} was not to come`);
}

(async () => {
  const producer = new Producer({ ...options, producerGroup: `producer${run}` });
  producer.on('error', () => {});
  await producer.ready();
  const sent = new Set();
  const tagged = new Set();
  await check('send of 300', async () => {
    for (let i = 0; i < 300; i++) {
      const body = `node-${i}`;
      const message = new Message(topic, i % 2 ? 'TagB' : 'TagA', body);
      message.keys = [ `key-${body}` ];
      const result = await producer.send(message);
      if (result.sendStatus !== 'SEND_OK') throw new Error(`${body}: ${JSON.stringify(result)}`);
      sent.add(body);
      if (i % 2 === 0) tagged.add(body);
    }
  });
  await check('push consumer', () => consume('push', '*', sent));
  await check('push consumer of one tag', () => consume('tagged', 'TagA', tagged));
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
})().catch(error => {
  console.log(`FAILED  ${error.stack}`);
  process.exit(1);
});
