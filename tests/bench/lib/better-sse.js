// better-sse.js PORT REDIS-PORT: Redis Streams to SSE with the libraries that
// one would take: better-sse as its guides have it (a channel for each room,
// sessions that register, broadcast), ioredis with one XREAD BLOCK for all.
'use strict';

const { createServer } = require('node:http');
const { createChannel, createSession } = require('better-sse');
const { Redis } = require('ioredis');

const [port, redisPort] = process.argv.slice(2).map(Number);
const commands = new Redis(redisPort);
const rooms = new Map(); // key -> { channel, last }
let reader, readerId; // the connection that waits

async function room(key) {
  if (!rooms.has(key)) {
    const [[last] = ['0-0']] = await commands.xrevrange(key, '+', '-',
      'COUNT', 1);
    if (!rooms.has(key)) {
      rooms.set(key, { channel: createChannel(), last });
      await wake();
    }
  }
  return rooms.get(key);
}

// The read goes on with the new room in its list.
async function wake() {
  if (!reader) {
    reader = new Redis(redisPort);
    readerId = reader.client('ID');
    readAll();
  } else {
    await commands.client('UNBLOCK', await readerId);
  }
}

async function readAll() {
  for (;;) {
    const keys = [...rooms.keys()];
    const reply = await reader.xread('COUNT', 1000, 'BLOCK', 1000, 'STREAMS',
      ...keys, ...keys.map((key) => rooms.get(key).last));
    for (const [key, entries] of reply ?? []) {
      const { channel } = rooms.get(key);
      for (const [id, fields] of entries) {
        channel.broadcast(fields[1], 'message', { eventId: id });
        rooms.get(key).last = id;
      }
    }
  }
}

const server = createServer(async (req, res) => {
  const name = /^\/chat\/(\w+)\/events$/.exec(req.url)?.[1];
  if (!name) {
    res.writeHead(404).end();
    return;
  }
  const { channel } = await room(`chat:${name}`);
  channel.register(await createSession(req, res));
});

server.listen({ port, host: '127.0.0.1', backlog: 4096 });
