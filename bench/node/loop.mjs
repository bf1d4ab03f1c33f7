// A Lambda runtime in a few lines, for machines where aws-lambda-ric cannot be built: one connection, one event at a time.
import http from 'node:http';
import { handler } from 'handler';

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body), 'Content-Type': 'application/json' };
    const request = http.request({ hostname, port, method, path: '/2018-06-01/runtime/invocation/' + path, agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ id: response.headers['lambda-runtime-aws-request-id'], text: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });

for (;;) {
  const { id, text } = await call('GET', 'next');
  try {
    await call('POST', id + '/response', JSON.stringify(await handler(JSON.parse(text))));
  } catch (error) {
    await call('POST', id + '/error', JSON.stringify({ errorMessage: error.message, errorType: error.name }));
  }
}
