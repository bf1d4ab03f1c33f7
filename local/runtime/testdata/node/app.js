const { name } = require("./lib/beside");

exports.handler = async (event, context) => {
  switch (event.do) {
    case "context":
      return {
        name: context.functionName,
        arn: context.invokedFunctionArn,
        memory: context.memoryLimitInMB,
        version: context.functionVersion,
        id: context.awsRequestId.length,
        time: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 30000,
        trace: process.env._X_AMZN_TRACE_ID.slice(0, 7),
        group: context.logGroupName,
        cwd: process.cwd() === process.env.LAMBDA_TASK_ROOT,
      };
    case "values":
      return [1.5, "ü", undefined, null, new Date(0), { a: undefined, b: [1] }];
    case "nothing":
      return;
    case "throw":
      throw new RangeError("boom");
    case "text":
      throw "Unauthorized";
    case "circle": {
      const o = {};
      o.o = o;
      return o;
    }
    case "exit":
      process.exit(7);
      break;
    case "stray":
      Promise.reject(new Error("stray"));
      return new Promise(() => setTimeout(() => {}, 60000));
    case "late":
      setTimeout(() => {
        throw new Error("late");
      }, 1);
      return new Promise(() => setTimeout(() => {}, 60000));
    case "log":
      console.log("said");
  }
  return { pid: process.pid, event, beside: name };
};

exports.nested = { callback: (event, context, done) => {
  const answer = { seen: "at once" };
  setTimeout(() => { answer.seen = "later"; }, 5);
  if (event.do === "fail") return done(new Error("Unauthorized"));
  if (event.do === "now") context.callbackWaitsForEmptyEventLoop = false;
  if (event.do === "none") return;
  if (event.do === "twice") {
    context.succeed("first");
    context.done(null, "second");
    return done(null, "third");
  }
  if (event.do === "succeed") return context.succeed("succeeded");
  done(null, answer);
} };

exports.number = 1;
