"""The two kinds of help that moto gets: patches for what it does wrong, answers for what it does not do.

Both are said in the terms of the AWS API: the service and the operation by the name that boto3 gives
them, parameters and results as dictionaries with the members of the API reference, whatever protocol the
request came in.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from gateway import Call

Handler: TypeAlias = "Callable[[Call], dict[str, Any] | None]"
Watcher: TypeAlias = "Callable[[Call], None]"
Proof: TypeAlias = "Callable[[Callable[..., Any]], None]"


class Refusal(Exception):
    """The error answer of an API call: its code, its message and its HTTP status."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Help:
    """What `patches/` and `answers/` register: handlers by operation, and the proof that they are right."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.handlers: list[tuple[str, Handler]] = []
        self.proofs: list[Proof] = []
        self.module = sys._getframe(2).f_globals["__name__"]

    def on(self, *operations: str) -> Callable[[Handler], Handler]:
        """Handles these operations. The handler returns the result; `None` leaves the call to moto."""

        def register(handler: Handler) -> Handler:
            self.handlers += [(operation, handler) for operation in operations]
            return handler

        return register

    def proof(self, check: Proof) -> Proof:
        """A check through boto3: `aws(service)` is a client. It raises where the answer is wrong."""
        self.proofs.append(check)
        return check


class Patch(Help):
    """Mends one bug of moto. Its proof has to fail on bare moto: a patch that mends nothing is an error."""

    def __init__(self, service: str, call: str, why: str) -> None:
        super().__init__(service)
        self.call, self.why = call, why
        self.changes: list[Callable[[], None]] = []
        PATCHES.append(self)

    @property
    def name(self) -> str:
        return f"{self.service}.{self.call}: {self.why}"

    def inside(self, change: Callable[[], None]) -> Callable[[], None]:
        """A change to moto's own code, for a bug that its answers cannot be cleaned of afterwards."""
        self.changes.append(change)
        return change


class Answers(Help):
    """Answers in moto's place. Every operation has to be one that bare moto does not implement."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.watched: list[tuple[str, Handler]] = []
        ANSWERS.append(self)

    def watch(self, *operations: str) -> Callable[[Watcher], Watcher]:
        """Looks at calls that moto itself answers, before it does; an answer may need to know them."""

        def register(watcher: Watcher) -> Watcher:
            def look(call: Call) -> None:
                watcher(call)

            self.watched += [(operation, look) for operation in operations]
            return watcher

        return register


def instead_of(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Puts a function in the place of a method of moto's; the method comes to it as the first argument."""

    def replace(function: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def replacement(self: Any, *given: Any, **named: Any) -> Any:
            return function(original, self, *given, **named)

        setattr(owner, name, replacement)

    return replace


PATCHES: list[Patch] = []
ANSWERS: list[Answers] = []


def load() -> dict[tuple[str, str], list[Handler]]:
    """Registers everything in `patches/` and `answers/` and applies the changes to moto's own code."""
    import answers
    import patches

    for package in (patches, answers):
        _import_all(package)
    for patch in PATCHES:
        for change in patch.changes:
            change()
    handlers: dict[tuple[str, str], list[Handler]] = {}
    for helper in [*PATCHES, *ANSWERS]:
        for operation, handler in [*helper.handlers, *getattr(helper, "watched", [])]:
            handlers.setdefault((helper.service, operation), []).append(handler)
    return handlers


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
