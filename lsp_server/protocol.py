"""The protocol below the handlers: every request is answered, also one that cannot be read.

pygls drops a request whose parameters do not fit their type, and one that comes after `shutdown`: the client waits for
ever. Here such a request gets an error. Known deviations of clients are understood: vscode-languageclient 9 sends the
trigger kinds of VS Code's own interface (0 for an explicit request) and ranges as a list of two positions, and every
client may leave out the params of a method that needs none.

pygls would also keep a copy of each document, in which lines end at form feeds and other separators too. An edit out of
that copy's range would never reach the server's own documents, so there is no such copy.
"""

import logging
from collections.abc import Callable, Generator
from typing import Any

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    LanguageServerProtocol,
    default_converter,
    lsp_method,
)

from codet5p import __version__

__all__ = ["AssistantProtocol", "lenient_converter"]

_LOGGER = logging.getLogger(__name__)


class AssistantProtocol(LanguageServerProtocol):
    """pygls's protocol with an answer to every request and the assistant's own capabilities."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        for method in (
            types.TEXT_DOCUMENT_DID_OPEN,
            types.TEXT_DOCUMENT_DID_CHANGE,
            types.TEXT_DOCUMENT_DID_CLOSE,
        ):
            del self.fm.builtin_features[method]

    def handle_message(self, message: Any) -> None:
        """Pass the message to its handler; after `shutdown` a request is refused, not ignored."""
        if self._shutdown and hasattr(message, "method") and hasattr(message, "id"):
            error = types.ResponseError(code=types.ErrorCodes.InvalidRequest.value, message="the server is shut down")
            self._send_response(message.id, error=error)
            return
        super().handle_message(message)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return the typed message; a request that cannot be read is answered here, then refused."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                reason = f"invalid params for {data['method']}: {_innermost(error)}"
                self._send_response(
                    data["id"], error=types.ResponseError(code=types.ErrorCodes.InvalidParams.value, message=reason)
                )
            raise

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """Return pygls's capabilities and, under `experimental`, what this server offers beyond the protocol."""
        result = yield from super().lsp_initialize(params)
        offered = {"version": __version__, "docstring": True, "search": True, "similar": True}
        result.capabilities.experimental = {"codet5p": offered}
        return result


def lenient_converter() -> Converter:
    """Return pygls's converter with understanding for the deviations of known clients."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    structure_range = converter.get_structure_hook(types.Range)

    def range_hook(value: Any, kind: type) -> types.Range:
        if isinstance(value, list) and len(value) == 2:
            value = {"start": value[0], "end": value[1]}
        structured: types.Range = structure_range(value, kind)
        return structured

    def trigger_hook(value: Any, _: type) -> types.InlineCompletionTriggerKind:
        # Only 2 is unmistakably automatic; a missing or unknown kind is treated as asked for.
        is_automatic = value == types.InlineCompletionTriggerKind.Automatic.value
        return (
            types.InlineCompletionTriggerKind.Automatic if is_automatic else types.InlineCompletionTriggerKind.Invoked
        )

    def without_params(structure: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda message, kind: structure({"params": None} | message, kind)

    for kind in (JsonRPCRequestMessage, JsonRPCNotification):
        converter.register_structure_hook(kind, without_params(converter.get_structure_hook(kind)))
    converter.register_structure_hook(types.Range, range_hook)
    converter.register_structure_hook(types.InlineCompletionTriggerKind, trigger_hook)
    return converter


def _innermost(error: BaseException) -> str:
    """Return one line about the first cause, such as a missing field."""
    cause: BaseException = error
    while True:
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        elif cause.__cause__ is not None:
            cause = cause.__cause__
        else:
            break
    return f"{type(cause).__name__}: {cause}".splitlines()[0]
