import collections
import decimal
import logging
import os
import sys

import beside

Point = collections.namedtuple("Point", "x y")


def handler(event, context):
    do = event.get("do")
    if do == "context":
        return {
            "name": context.function_name,
            "arn": context.invoked_function_arn,
            "memory": context.memory_limit_in_mb,
            "version": context.function_version,
            "id": len(context.aws_request_id),
            "time": 0 < context.get_remaining_time_in_millis() <= 30000,
            "trace": os.environ["_X_AMZN_TRACE_ID"][:7],
            "group": context.log_group_name,
            "cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"] == sys.path[0],
            "identity": context.identity.cognito_identity_id,
            "client": context.client_context,
        }
    if do == "values":
        return [decimal.Decimal("1.10"), decimal.Decimal("12345678901234567890.5"), Point(1, "ü"), (1, 2), b"bytes", None, 1.5, True, {"1": {2: 3}}]
    if do == "bytes":
        return b'{"raw":true}'
    if do == "raise":
        raise ValueError("boom")
    if do == "quiet":
        raise beside.Unauthorized("Unauthorized")
    if do == "set":
        return {1, 2}
    if do == "exit":
        sys.exit(7)
    if do == "log":
        logging.getLogger().setLevel("INFO")
        logging.info("said")
        print("printed")
    return {"pid": os.getpid(), "event": event, "beside": beside.NAME}
