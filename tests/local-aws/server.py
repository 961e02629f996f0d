"""The local AWS of the end-to-end tests: moto, mended where it is wrong and filled where it is empty.

    python server.py --port 4566          # 0, the default, takes a free port; the first line printed names it
    python server.py --bare               # without patches and answers: what selfcheck.py compares with

Read on in `registry.py` for how a patch or an answer is written.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

# Read when moto is imported: AWS's managed policies exist, and certificates are validated at once.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "0")

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

import gaps
import registry
from calls import Calls, RuledOut, read
from gateway import STORE, Environ, Gateway, Reply

# Answers that are kept for an SDK that asks again: more than Terraform has under way at once.
REMEMBERED = 1000

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class LocalAws:
    """The WSGI application. One request at a time: moto is not thread-safe."""

    def __init__(self, bare: bool, calls: str | None) -> None:
        self.bare = bare
        self.calls = Calls(calls) if calls else None
        self.lock = threading.RLock()
        self.app = Dispatcher(create_backend_app)
        self.gateway = Gateway(self.ask_moto, {} if bare else registry.load())
        self.done: OrderedDict[str, Reply] = OrderedDict()

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        chunked = environ.get("wsgi.input_terminated", False)
        body = environ["wsgi.input"].read(-1 if chunked else int(environ.get("CONTENT_LENGTH") or 0))
        with self.lock:
            reply = self.once(environ, body)
        headers = [(key, value) for key, value in reply.headers if key.lower() != "content-length"]
        # An answer to HEAD has no body, but tells the length that the body would have.
        length = dict((key.lower(), value) for key, value in reply.headers).get("content-length")
        if environ["REQUEST_METHOD"] != "HEAD" or length is None:
            length = str(len(reply.body))
        start(f"{reply.status} {_reason(reply.status)}", [*headers, ("Content-Length", length)])
        return [reply.body]

    def once(self, environ: Environ, body: bytes) -> Reply:
        """An SDK that lost the answer, as it may on a busy machine, asks again under the same id: it gets that answer,
        not a second resource or the error that the first one exists."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if invocation in self.done:
            return self.done[invocation]
        reply = self.answer(environ, body)
        if invocation and reply.status < 300:
            self.done[invocation] = reply
            if len(self.done) > REMEMBERED:
                self.done.popitem(last=False)
        return reply

    def answer(self, environ: Environ, body: bytes) -> Reply:
        if environ["PATH_INFO"] == "/moto-api/reset":
            STORE.clear()
        try:
            if not self.bare:
                self.look(environ, body)
            reply = self.gateway(environ, body)
            if not gaps.is_unrouted(environ, reply):
                return reply
            why = gaps.NO_ROUTE
        except RuledOut as error:
            why = f"{gaps.RULED_OUT}: {error}"
        except NotImplementedError as error:
            why = f"{gaps.NOT_IMPLEMENTED}: {error}"
        except Exception as error:
            traceback.print_exc()
            why = f"{type(error).__name__}: {error}"
        message = gaps.describe(environ, body, why)
        print("gap:", message, flush=True)
        return gaps.refuse(environ, message)

    def look(self, environ: Environ, body: bytes) -> None:
        """Writes a call down, and refuses it if the model of its API rules it out."""
        if asked := read(environ, body):
            if self.calls:
                self.calls.note(asked)
            asked.hold()

    def ask_moto(self, environ: Environ) -> Reply:
        said: dict[str, Any] = {}

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            said.update(status=int(status.split()[0]), headers=headers)
            return lambda _: None

        body = b"".join(self.app(environ, start))
        return Reply(said["status"], said["headers"], body)


class Dispatcher(DomainDispatcherApplication):
    """Moto's choice of the service, which falls over one that it does not have."""

    def get_backend_for_host(self, host: str | None) -> Any:
        backend = super().get_backend_for_host(host)
        if host and not backend:
            raise NotImplementedError("no such service")
        return backend


class QuietHandler(MotoRequestHandler):
    """Keeps connections open and logs nothing: gaps are what matters in the log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _end_with_input() -> None:
    """A parent that dies, however it dies, closes the pipe: no server outlives its test."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="The local AWS of the end-to-end tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bare", action="store_true", help="moto as it is, without patches and answers")
    parser.add_argument("--calls", metavar="FILE", help="every call is written there, one JSON document per line")
    parser.add_argument("--with-parent", action="store_true", help="ends when its standard input does")
    options = parser.parse_args()
    if options.with_parent:
        threading.Thread(target=_end_with_input, daemon=True).start()
    server = make_server(
        "127.0.0.1", options.port, LocalAws(options.bare, options.calls), threaded=True, request_handler=QuietHandler
    )
    os.environ["MOTO_PORT"] = str(server.port)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
