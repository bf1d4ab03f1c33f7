// What stands here for the runtime that Lambda has for Node.js: it loads the handler, asks for events, calls it, posts what it returns or throws.
//
// Nothing but what Node.js brings. How it finds the handler, names errors and waits for callbacks is how Lambda's runtime does, and a test compares the two.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import util from "node:util";

const { env } = process;
const root = env.LAMBDA_TASK_ROOT;
const require = createRequire(path.join(root, "x.js"));
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 }); // an idle connection keeps no process alive: a handler's own work is seen to its end

const call = (method, where, body) =>
  new Promise((resolve, reject) => {
    const head = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request({ host, port, method, path: "/2018-06-01/runtime/" + where, agent, headers: head }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => resolve({ headers: answer.headers, body: text }));
    });
    request.on("error", reject).end(body);
  });

class Fault extends Error {
  constructor(kind, message) {
    super(message instanceof Error ? String(message) : message);
    this.name = "Runtime." + kind;
  }
}

const shape = (e) =>
  util.types.isNativeError(e) || (e?.name && e.message && e.stack)
    ? { errorType: e.name, errorMessage: e.message, trace: e.stack.split("\n") }
    : { errorType: typeof e, errorMessage: String(e), trace: [] };

const report = (where, e) => {
  console.error(e);
  return call("POST", where, JSON.stringify(shape(e)));
};

function encode(answer) {
  try {
    return JSON.stringify(answer) ?? "null";
  } catch {
    throw new Error("Unable to stringify response body");
  }
}

async function load(name) {
  const base = path.basename(name), match = base.match(/^([^.]*)\.(.*)$/);
  if (name.includes("..")) throw new Fault("MalformedHandlerName", `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  if (!match) throw new Fault("MalformedHandlerName", "Bad handler");
  const file = path.resolve(root, name.slice(0, name.indexOf(base)), match[1]);
  let handler;
  try {
    handler = match[2].split(".").reduce((from, key) => from && from[key], await find(file, match[1]));
  } catch (e) {
    if (e instanceof SyntaxError) throw new Fault("UserCodeSyntaxError", e);
    if (e?.code === "MODULE_NOT_FOUND") throw new Fault("ImportModuleError", e);
    throw e;
  }
  if (!handler) throw new Fault("HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new Fault("HandlerNotFound", `${name} is not a function`);
  return handler;
}

async function find(file, name) {
  const is = (extension) => fs.existsSync(file + extension);
  if (is("")) return require(file);
  if (is(".js")) return isModule(path.dirname(file)) ? import(pathToFileURL(file + ".js")) : require(file + ".js");
  if (is(".mjs")) return import(pathToFileURL(file + ".mjs"));
  if (is(".cjs")) return require(file + ".cjs");
  return require(require.resolve(name, { paths: [root, path.dirname(file)] }));
}

function isModule(folder) {
  if (folder.endsWith("/node_modules")) return false;
  const manifest = path.join(folder, "package.json");
  if (fs.existsSync(manifest)) {
    try {
      return JSON.parse(fs.readFileSync(manifest)).type === "module";
    } catch {
      return false;
    }
  }
  return path.dirname(folder) !== folder && isModule(path.dirname(folder));
}

let failed = (e) => report("init/error", e); // what to do with an error that nobody caught
let idle = () => {}; // what to do when a handler has nothing left to wait for
process.on("uncaughtException", (e) => failed(e).then(() => process.exit(129)));
process.on("unhandledRejection", (e) => failed(new Fault("UnhandledPromiseRejection", e)).then(() => process.exit(128)));
process.on("beforeExit", () => idle());

async function next(handler) {
  const { headers, body } = await call("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"], deadline = headers["lambda-runtime-deadline-ms"];
  env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  failed = (e) => report(`invocation/${id}/error`, e);
  let over = false;
  const end = (e, answer) => {
    if (over) return;
    const good = e === undefined || e === null, text = good && encode(answer);
    over = true;
    idle = () => {};
    const posted = good ? call("POST", `invocation/${id}/response`, text) : failed(e);
    posted.then(() => setImmediate(next, handler));
  };
  const fail = (e) => end(e ?? "handled");
  let called = false; // a callback's answer waits until nothing else is to be done, unless the function says that it need not
  const callback = (e, answer) => {
    if (called) return;
    called = true;
    if (!context.callbackWaitsForEmptyEventLoop || (e !== undefined && e !== null)) return end(e, answer);
    idle = () => end(null, answer);
  };
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    succeed: (answer) => end(null, answer),
    fail,
    done: end,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: id,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  idle = () => end(null, null);
  try {
    const answer = handler(JSON.parse(body), context, callback);
    if (typeof answer?.then === "function") answer.then(context.succeed, fail).catch(fail);
  } catch (e) {
    callback(e);
  }
}

next(await load(env._HANDLER));
