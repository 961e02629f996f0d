"""Shows that every patch and every answer is needed, and right.

    python selfcheck.py [WORD]      # only those whose name or file holds the word

A patch's proof has to fail on bare moto, and an operation that `answers/` covers has to be one that bare
moto does not implement; on the mended server both have to succeed. What moto no longer needs is an error
here, so that it gets removed.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

import gaps
import registry
from ask import client
from sample import sample

SERVER = Path(__file__).with_name("server.py")
Aws = Callable[..., Any]


@contextmanager
def server(*options: str) -> Iterator[Aws]:
    """Runs the local AWS; yields a maker of clients."""
    command = [sys.executable, str(SERVER), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        first = process.stdout.readline()
        if "listening on " not in first:
            raise SystemExit(f"the server did not start: {first}")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        endpoint = first.split()[-1]
        yield lambda service, region="us-east-1": client(endpoint, region, service)
    finally:
        process.terminate()
        process.wait()


def fails(proof: registry.Proof, aws: Aws) -> Exception | None:
    try:
        proof(aws)
    except Exception as error:
        return error
    return None


def is_gap(aws: Aws, service: str, operation: str) -> bool:
    """Whether bare moto lacks the operation: asked over the wire, with made-up arguments."""
    asked = aws(service)
    shape = get_service_model(service).operation_model(operation).input_shape
    method = {asked.meta.method_to_api_mapping[name]: name for name in asked.meta.method_to_api_mapping}[
        operation
    ]
    try:
        getattr(asked, method)(**(sample(shape) if shape else {}))
    except ClientError as error:
        return any(why in str(error) for why in (gaps.NO_ROUTE, gaps.NOT_IMPLEMENTED))
    return False


def problems(word: str) -> Iterator[str]:
    registry.load()
    helpers = [*registry.PATCHES, *registry.ANSWERS]
    wanted = [
        helper for helper in helpers if word in f"{helper.module} {getattr(helper, 'name', helper.service)}"
    ]
    with server("--bare") as bare, server() as mended:
        for helper in wanted:
            where = f"{helper.module} ({getattr(helper, 'name', helper.service)})"
            if not helper.proofs:
                yield f"{where}: has no proof"
            for proof in helper.proofs:
                if error := fails(proof, mended):
                    yield f"{where}: wrong on the mended server: {type(error).__name__}: {error}"
                if isinstance(helper, registry.Patch) and not fails(proof, bare):
                    yield f"{where}: moto no longer needs it: its proof holds on bare moto; remove it"
            if isinstance(helper, registry.Answers):
                for operation, _ in helper.handlers:
                    if not is_gap(bare, helper.service, operation):
                        yield f"{where}: moto answers {operation} by itself now; remove the answer"
    print(f"{len(wanted)} patches and answers checked")


def main() -> None:
    logging.disable(logging.CRITICAL)
    found = list(problems(sys.argv[1] if len(sys.argv) > 1 else ""))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(found)} problems")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
