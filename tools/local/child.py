"""Runs MiniStack until it is stopped, or until the command that started it has ended.

`tools.local.ministack` runs this file with the interpreter of .venv-stack, where nothing of this
project can be imported. The folder of MiniStack's state is the current one.

MiniStack has no settings for what is changed here. tests/contract/test_gaps.py fails when one of
these changes is no longer needed.
"""

# ruff: noqa: SLF001

import contextvars
import fcntl
import functools
import importlib
import io
import json
import os
import shutil
import signal
import tempfile
import threading
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

type Asgi = Callable[[Any, Any, Any], Awaitable[None]]

WORKERS = 4  # processes of one function
_REQUEST: contextvars.ContextVar[Any] = contextvars.ContextVar("request")


def main() -> None:
    """Waits for the lock (the previous MiniStack may still be saving), then serves."""
    with Path("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Thread(target=stop_with_parent, daemon=True).start()
        empty(Path(tempfile.gettempdir()))
        server: Any = importlib.import_module("ministack.app")  # slow, so only with the lock
        server.app = over_tls(server.app)
        simplify_alarms(importlib.import_module("ministack.services.cloudformation.provisioners"))
        gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
        import_whole_definitions(gateway)
        fill_in_method_and_path(gateway)
        functions: Any = importlib.import_module("ministack.services.lambda_svc")
        read_streams_from_the_start(functions)
        share_layers(functions, importlib.import_module("ministack.core.lambda_runtime"))
        limit_workers(functions)
        server.main()


def stop_with_parent() -> None:
    """Stops and saves, as on SIGTERM, once the other end of standard input is closed.

    The system closes it however the parent ends, even by `kill -9`, so nothing is left running and
    no file is lost. It is read with `os.read`: a buffered read from `sys.stdin` would hold a lock
    that the interpreter needs to exit.
    """
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def empty(folder: Path) -> None:
    """Deletes the folders of earlier runs' workers, which MiniStack leaves when it is killed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)


def over_tls(app: Asgi) -> Asgi:
    """Treats requests as if they had come by TLS, as behind a proxy that terminates it.

    Otherwise the bucket's policy would reject the functions' requests, which are plain HTTP here.
    The policy should be tested as it is deployed to AWS.
    """

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, "scheme": "https"}
            _REQUEST.set(scope)
        await app(scope, receive, send)

    return served


def simplify_alarms(provisioners: Any) -> None:
    """Deploys an alarm on an expression as one on the expression's first metric.

    MiniStack rejects it otherwise, and no alarm tells anybody here.
    """
    record = provisioners._cw_metric_alarm_record

    def recorded(name: str, properties: Any) -> Any:
        stats = [
            each["MetricStat"] for each in properties.get("Metrics", []) if "MetricStat" in each
        ]
        for stat in stats[:1]:
            single = {**stat["Metric"], "Statistic": stat["Stat"], "Period": stat["Period"]}
            properties = {**properties, **single, "Metrics": None}
        return record(name, properties)

    provisioners._cw_metric_alarm_record = recorded


def import_whole_definitions(gateway: Any) -> None:
    """Gives an API the binary types, gateway responses and mocks that its definition contains."""
    create = gateway._import_rest_api

    def imported(definition: Any, properties: Any = None) -> Any:
        types = definition.get("x-amazon-apigateway-binary-media-types", [])
        api = create(definition, {**(properties or {}), "binaryMediaTypes": types})
        responses = definition.get("x-amazon-apigateway-gateway-responses", {})
        for kind, response in responses.items():
            gateway._put_gateway_response(api, kind, response)
        return api

    gateway._import_rest_api = imported
    operate = gateway._import_operation

    def operated(api: str, resource: str, method: str, operation: Any, *more: Any) -> None:
        """Of the answers of a mock, MiniStack could send no other headers than fixed ones."""
        operate(api, resource, method, operation, *more)
        for each in operation["x-amazon-apigateway-integration"].get("responses", {}).values():
            headers = each["responseParameters"].items()
            fixed = {name: value for name, value in headers if value.startswith("'")}
            answer = {"responseParameters": fixed}
            gateway._put_integration_response(api, resource, method, each["statusCode"], answer)

    gateway._import_operation = operated


def fill_in_method_and_path(gateway: Any) -> None:
    """Fills in the two variables of gateway responses that MiniStack leaves as they are.

    The path is as the client sent it, without the stage, as behind a custom domain.
    """
    answer = gateway._gateway_error_response

    def answered(error: Any, request: Any) -> Any:
        status, headers, body = answer(error, request)
        called = _REQUEST.get()
        path = called["raw_path"].decode().partition(f"/{request['stage_name']}/")[2]
        values = {"$context.httpMethod": called["method"], "$context.path": f"/{path}"}
        for name, value in values.items():
            body = body.replace(name.encode(), json.dumps(value)[1:-1].encode())
        return status, headers, body

    gateway._gateway_error_response = answered


def read_streams_from_the_start(functions: Any) -> None:
    """Makes functions read a table's stream from its start after a restart.

    MiniStack saves how many records they have read, but not the records themselves. So they would
    skip as many new records as they had read before.
    """
    functions._restore_esm_positions = lambda *_: None


def share_layers(functions: Any, runtime: Any) -> None:
    """Unpacks each layer once, for all workers.

    MiniStack unpacks them for each worker, which takes it more than a second and 60 MB.
    """
    lock = threading.Lock()

    @functools.cache
    def unpacked(content: bytes) -> str:
        folder = tempfile.mkdtemp(prefix="layer-")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
        return folder

    base: Any = runtime.Worker

    class Worker(base):  # type: ignore[misc]
        """A process that runs a function, without layers of its own."""

        config: Any

        def _spawn(self) -> None:
            if layers := self.config.get("Layers"):
                with lock:
                    folders = [unpacked(functions._resolve_layer_zip(each)) for each in layers]
                own = self.config["Environment"]["Variables"]
                variables = {**own, "_LAMBDA_LAYERS_DIRS": os.pathsep.join(folders)}
                self.config = {**self.config, "Layers": [], "Environment": {"Variables": variables}}
            super()._spawn()

    runtime.Worker = Worker


def limit_workers(functions: Any) -> None:
    """Lets calls of a function wait for a free worker once it has `WORKERS`.

    MiniStack starts one for each call that finds no free one, as AWS does. But here they share one
    machine: a burst of 20 first calls would start 40 interpreters, too slowly for the gateway. A
    function that waits for a call of itself would need another way; there is none.
    """
    acquire, release = functions.acquire_worker, functions.release_worker
    slots: dict[str, threading.Semaphore] = {}

    def acquired(function: str, *arguments: Any, **options: Any) -> Any:
        slots.setdefault(function, threading.Semaphore(WORKERS)).acquire()
        return acquire(function, *arguments, **options)

    def released(worker: Any) -> None:
        release(worker)
        slots[worker.func_name].release()

    functions.acquire_worker, functions.release_worker = acquired, released


if __name__ == "__main__":
    main()
