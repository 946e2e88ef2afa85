"""Step Functions on this machine: moto's States Language engine, whose functions are sandboxes that run the real handler.

Comes in: a port, a file for the calls, and the sandboxes' ports. Goes out: an endpoint that speaks Step Functions, and a line in
the file for each beginning and end of a call. Never: a task's work, or a wait for a sandbox (one too many is throttled, as on AWS).
"""

import http.client
import itertools
import json
import queue
import sys
import threading

import moto.core.config as settings

settings.default_user_config["lambda"] = {**settings.default_user_config.get("lambda", {}), "use_docker": False}
settings.default_user_config["stepfunctions"] = {"execute_state_machine": True}

from moto.awslambda_simple.models import LambdaSimpleBackend  # noqa: E402
from moto.core.exceptions import JsonRESTError  # noqa: E402
from moto.server import main  # noqa: E402

PORT, CALLS, *SANDBOXES = sys.argv[1:]
# Longer than any task of these tests takes on a busy machine.
PATIENCE = 240
PATH = "/2015-03-31/functions/function/invocations"

idle: queue.SimpleQueue = queue.SimpleQueue()
for sandbox in SANDBOXES:
    idle.put(int(sandbox))
numbers = itertools.count()
lock = threading.Lock()


class Throttled(JsonRESTError):
    """As Lambda says it."""

    code = 429

    def __init__(self):
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


def write(**line):
    """Appends a line to the calls."""
    with lock, open(CALLS, "a", encoding="utf-8") as calls:
        calls.write(json.dumps(line) + "\n")


def invoke(self, function_name, qualifier, body, headers, response_headers, default_result=None):
    """Lambda's Invoke, by whichever sandbox is idle."""
    event = json.loads(body)
    number = next(numbers)
    try:
        port = idle.get_nowait()
    except queue.Empty:
        write(call=number, event=event, throttled=True)
        raise Throttled from None
    write(call=number, event=event, port=port)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("POST", PATH, json.dumps(event))
        answer = connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        answer = json.dumps({"errorType": "Lambda.Unknown", "errorMessage": repr(error)}).encode()
    finally:
        idle.put(port)
    try:
        said = json.loads(answer)
    except ValueError:
        said = {"errorType": "Sandbox.Timedout", "errorMessage": answer.decode("utf-8", "replace")}
        answer = json.dumps(said).encode()
    failed = isinstance(said, dict) and "errorType" in said
    write(call=number, answer=said)
    if failed:
        response_headers["X-Amz-Function-Error"] = "Unhandled"
    return answer


LambdaSimpleBackend.invoke = invoke
main(["-H", "127.0.0.1", "-p", PORT])
