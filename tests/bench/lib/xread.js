// xread.js PORT REDIS-PORT: Redis Streams to SSE by hand in Node, as fast as
// it goes without a library for SSE: one XREAD BLOCK for all streams, each
// frame is formatted once, those of one reply leave in one write.
'use strict';

const { createServer } = require('node:http');
const { Redis } = require('ioredis');

const [port, redisPort] = process.argv.slice(2).map(Number);
const commands = new Redis(redisPort);
const rooms = new Map(); // key -> { clients, last }
let reader, readerId;

const head = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
};

async function room(key) {
  if (!rooms.has(key)) {
    const [[last] = ['0-0']] = await commands.xrevrange(key, '+', '-',
      'COUNT', 1);
    if (!rooms.has(key)) {
      rooms.set(key, { clients: new Set(), last });
      await wake();
    }
  }
  return rooms.get(key);
}

async function wake() {
  if (!reader) {
    reader = new Redis(redisPort);
    readerId = reader.client('ID');
    readAll();
  } else {
    await commands.client('UNBLOCK', await readerId);
  }
}

function frame([id, fields]) {
  return `id: ${id}\ndata: ${fields[1].split(/\r\n|\r|\n/).join('\ndata: ')}\n\n`;
}

async function readAll() {
  for (;;) {
    const keys = [...rooms.keys()];
    const reply = await reader.xread('COUNT', 1000, 'BLOCK', 1000, 'STREAMS',
      ...keys, ...keys.map((key) => rooms.get(key).last));
    for (const [key, entries] of reply ?? []) {
      const bytes = Buffer.from(entries.map(frame).join(''));
      for (const client of rooms.get(key).clients) client.write(bytes);
      rooms.get(key).last = entries.at(-1)[0];
    }
  }
}

const server = createServer(async (req, res) => {
  const name = /^\/chat\/(\w+)\/events$/.exec(req.url)?.[1];
  if (!name) {
    res.writeHead(404).end();
    return;
  }
  const { clients } = await room(`chat:${name}`);
  res.writeHead(200, head);
  res.write(': hello\n\n');
  clients.add(res);
  res.on('close', () => clients.delete(res));
});

server.listen({ port, host: '127.0.0.1', backlog: 4096 });
