"""What stands here for the runtime that Lambda has for Python: it loads the handler, asks for events, calls it, posts what it returns or raises.

Standard library only. How it names errors, trims tracebacks and turns answers into JSON is how Lambda's runtime does, and a test compares the two.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
import types

NUMBER = os.urandom(16).hex()  # marks decimals on their way through the encoder, which knows only floats
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
request_id = ""


class Fault(Exception):
    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/" + path, body, {"Content-Type": "application/json"} if body is not None else {})
    answer = api.getresponse()
    return answer.headers, answer.read()


def load(name):
    module, dot, function = name.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), function)
    except ImportError as e:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {e}")
    except SyntaxError as e:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {e}", [f'  File "{e.filename}" Line {e.lineno}\n    {e.text}'])
    except AttributeError:
        if module.replace("/", ".") not in sys.modules:  # raised by the module itself
            raise
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, decimal.Decimal):
        return float("nan") if value.is_nan() else f"{NUMBER}{value}{NUMBER}"
    return value


def encode(value):
    old = os.environ.get("AWS_EXECUTION_ENV", "").rpartition(".")[2] in ("8", "9", "10", "11")
    text = json.dumps(plain(value), ensure_ascii=old)
    return text.replace('"' + NUMBER, "").replace(NUMBER + '"', "").encode()


def error(e):
    if isinstance(e, Fault):
        return {"errorMessage": str(e), "errorType": e.kind, "requestId": request_id, "stackTrace": e.trace}
    frames = [f for f in traceback.extract_tb(e.__traceback__) if f.filename != __file__]
    while frames and "importlib" in frames[0].filename:
        frames.pop(0)
    return {"errorMessage": str(e), "errorType": type(e).__name__, "requestId": request_id, "stackTrace": traceback.format_list(frames)}


def report(path, e):
    what = error(e)
    sys.stdout.write("\n".join([f"[ERROR] {what['errorType']}: {what['errorMessage']}", "Traceback (most recent call last):", *what["stackTrace"]]).rstrip() + "\n")
    call("POST", path, json.dumps(what).encode())


def invoke(handler, event, context):
    try:
        event = json.loads(event)
    except ValueError as e:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {e}")
    answer = handler(event, context)
    if isinstance(answer, bytes):
        return answer
    try:
        return encode(answer)
    except Exception as e:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {e}")


def context_of(headers):
    deadline, variables = int(headers["Lambda-Runtime-Deadline-Ms"]), os.environ.get
    return types.SimpleNamespace(
        aws_request_id=request_id,
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        function_name=variables("AWS_LAMBDA_FUNCTION_NAME"),
        function_version=variables("AWS_LAMBDA_FUNCTION_VERSION"),
        memory_limit_in_mb=variables("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        log_group_name=variables("AWS_LAMBDA_LOG_GROUP_NAME"),
        log_stream_name=variables("AWS_LAMBDA_LOG_STREAM_NAME"),
        client_context=None,
        identity=types.SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None),
        get_remaining_time_in_millis=lambda: max(0, deadline - int(time.time() * 1000)),
        log=lambda message: sys.stdout.write(str(message)),
    )


class Handler(logging.StreamHandler):
    def emit(self, record):
        record.aws_request_id = request_id
        super().emit(record)


def main():
    global request_id
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.stdout.reconfigure(line_buffering=True)
    logging.Formatter.converter = time.gmtime
    lines = Handler(sys.stdout)
    lines.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(lines)
    if os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
        logging.getLogger().setLevel(os.environ["AWS_LAMBDA_LOG_LEVEL"])
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as e:
        report("init/error", e)
        sys.exit(1)
    while True:
        headers, event = call("GET", "invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        try:
            answer = invoke(handler, event, context_of(headers))
        except Exception as e:
            report(f"invocation/{request_id}/error", e)
        else:
            call("POST", f"invocation/{request_id}/response", answer)


main()
