// Does as much work as it is told and says what CPU time it took: reads lines "what size n" and answers each with the microseconds.
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { decide, verify } from './authorizer.mjs';

const traffic = JSON.parse(readFileSync(process.argv[2], 'utf8')); // by size: tokens and events, both as text
const events = Object.fromEntries(Object.entries(traffic).map(([size, t]) => [size, t.events.map((event) => Buffer.from(event))]));

const jwk = JSON.parse(process.env.AUTH_JWKS).keys[0];
const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });

// raw is what the limit is in Go: the signature alone.
function raw(token) {
  const dot = token.lastIndexOf('.');
  if (!crypto.verify('RSA-SHA256', Buffer.from(token.slice(0, dot)), key, Buffer.from(token.slice(dot + 1), 'base64url'))) throw new Error('bad signature');
}

const work = {
  raw: (size, i) => raw(traffic[size].tokens[i % traffic[size].tokens.length]),
  verify: (size, i) => verify(traffic[size].tokens[i % traffic[size].tokens.length]),
  handler: (size, i) => JSON.stringify(decide(JSON.parse(events[size][i % events[size].length].toString()))), // bytes in, text out
};

let i = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [what, size, n] = line.split(' ');
  const before = process.cpuUsage();
  for (let k = 0; k < Number(n); k++) work[what](size, i++);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${user + system}\n`);
}
