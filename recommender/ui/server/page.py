"""Blocks through which all goes that is asked and answered, of the page as of the API."""

import asyncio
import contextlib
import inspect
import logging
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar, get_type_hints

import gradio as gr
from gradio import blocks, utils
from gradio.block_function import BlockFunction
from gradio.context import LocalContext
from gradio.data_classes import APIInfo
from gradio.processing_utils import async_move_files_to_cache
from gradio.routes import App
from gradio.utils import get_function_description

from recommender.errors import RecommenderError
from recommender.ui.parts.inputs import PictureInput, is_web_address
from recommender.ui.server.guard import FAILED, NO_ENDPOINT
from recommender.ui.server.shares import Buckets, Share, too_fast
from recommender.ui.server.turns import Turns
from recommender.ui.server.uploads import is_of_others

WRONG_INPUTS = (
    "These inputs do not fit the endpoint: /gradio_api/info lists how many there are and of what "
    "kind, and a file is one that was uploaded here."
)

_DEEPEST = 20
"""Lists and objects within one another that parameters may be; what endpoints take is four deep."""
_LONGEST_SESSION = 200
"""Letters of a session's name, which is kept for as long as the session."""

NOT_HERE = "This picture is not here, as it was shown to another server: show it again."

log = logging.getLogger(__name__)

T = TypeVar("T")

_A_SESSION = Share(a_second=10, at_once=60)
"""What a page, or a client that is one session, may ask."""


class Page(gr.Blocks):
    """Blocks that say in a sentence why they cannot answer.

    Gradio and pydantic raise what they happen to raise, often without a message for the caller
    and with a trace in the log.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _no_server_yet():
            super().__init__(*args, **kwargs)
        self._shares = Buckets(_A_SESSION)
        self.turns = Turns()

    def __exit__(self, *args: Any) -> None:
        """The page is drawn."""
        with _no_server_yet():
            super().__exit__(*args)

    def queue(self, *args: Any, **kwargs: Any) -> gr.Blocks:
        """How many are answered at once, and how many may wait."""
        with _no_server_yet():
            queued: gr.Blocks = super().queue(*args, **kwargs)
        push = self._queue.push

        async def push_named(body: Any, *others: Any, **named: Any) -> Any:
            if not _is_name(body.session_hash):
                return False, WRONG_INPUTS, "error"
            return await push(body, *others, **named)

        self._queue.push = push_named  # type: ignore[method-assign]
        return queued

    def get_api_info(self, *args: Any, **kwargs: Any) -> APIInfo:
        """What the API takes and answers; each parameter as its function's docstring has it.

        Gradio tells an MCP server alone what docstrings say of parameters.
        """
        info: APIInfo = super().get_api_info(*args, **kwargs)
        for function in self.fns.values():
            endpoint = info["named_endpoints"].get(f"/{function.api_name}")
            if endpoint is None or function.fn is None:
                continue
            _, said, _ = get_function_description(function.fn)
            for parameter, block in zip(endpoint["parameters"], function.inputs, strict=False):
                if isinstance(block, gr.Image):  # as where an address or an id asks instead
                    parameter["type"] = {"anyOf": [parameter["type"], {"type": "null"}]}
                if about := said.get(parameter["parameter_name"]):
                    parameter["type"] = {**parameter["type"], "description": about}
                    parameter["python_type"]["description"] = about
        return info

    @cached_property
    def endpoints(self) -> dict[str, BlockFunction]:
        """Those of the API, by name; to be asked for when all are there."""
        functions = self.fns.values()
        return {str(each.api_name): each for each in functions if _is_of_the_api(each)}

    @cached_property
    def _takes_request_at(self) -> dict[BlockFunction, int | None]:
        return {each: _request_at(each.fn) for each in self.endpoints.values()}

    @property
    def is_ending(self) -> bool:
        """Whether the server was told to end."""
        return bool(self._queue.stopped)

    async def answer(
        self,
        function: BlockFunction,
        sent: list[Any],
        request: gr.Request,
        worded: Callable[[Any], T],
    ) -> T:
        """What an endpoint of the API answers, in its turn.

        Gradio finds out anew at each call what a handler takes, and asks two threads more.

        Args:
            function: the endpoint.
            sent: its parameters.
            request: who asks.
            worded: makes of the answer what is wanted, in the same thread.

        Raises:
            gr.Error: the parameters are none, or there is no answer to them.
        """
        LocalContext.blocks.set(self)  # else Gradio would take any file for one of its own
        LocalContext.request.set(request)  # by which a GPU is lent to whom it is for
        with _in_a_sentence():
            self._check_share(request.session_hash)
            inputs = await self.preprocess_data(function, sent, None)
            aside = any(map(_names_address, inputs))
            pairs = zip(function.inputs, inputs, strict=False)
            later = any(isinstance(block, PictureInput) and sent for block, sent in pairs)
            if (at := self._takes_request_at[function]) is not None:
                inputs.insert(at, request)
            return await self.turns.do(
                lambda: worded(function.fn(*inputs)),  # type: ignore[misc]
                aside=aside,
                later=later,
            )

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The answer; a `RecommenderError` reaches a program as it stands.

        It is plain text, which Gradio would render as HTML: its page does not show it.
        """
        function = kwargs.get("block_fn", args[0] if args else None)
        try:
            if isinstance(function, BlockFunction):
                if function.fn is None:  # the page's script alone
                    raise gr.Error(NO_ENDPOINT, print_exception=False)
                if _is_of_the_api(function):
                    sent, request = kwargs["inputs"], kwargs["request"]
                    started = time.time()
                    told = await self.answer(function, sent, request, lambda answer: answer)
                    return _as_gradio_has_it(told, time.time() - started)
            with _in_a_sentence():
                answer: dict[str, Any] = await super().process_api(*args, **kwargs)
            return answer
        finally:
            # A call by curl is a session of its own, named like the call.
            if (session := kwargs.get("session_hash")) and session == kwargs.get("event_id"):
                self.state_holder.let_go(session)  # type: ignore[attr-defined]

    async def call_function(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the handler answers, to a session that asks no faster than its share."""
        request = kwargs.get("requests", args[3] if len(args) > 3 else None)
        self._check_share(getattr(request, "session_hash", None))
        answer: dict[str, Any] = await super().call_function(*args, **kwargs)
        return answer

    def _check_share(self, session: str | None) -> None:
        if not _is_name(session):
            raise gr.Error(WRONG_INPUTS, print_exception=False)
        if session and (seconds := self._shares.wait(session)):
            raise gr.Error(too_fast(seconds), title="One moment", print_exception=False)

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """What the handler gets: a program that knows only the first parameters gets defaults."""
        has_files = _look_through(inputs)
        defaults = [getattr(block, "value", None) for block in block_fn.inputs[len(inputs) :]]
        if _is_of_the_api(block_fn) and None not in defaults:
            inputs = [*inputs, *defaults]
        pairs = zip(block_fn.inputs, inputs, strict=False)
        inputs = [
            block.unmarked(sent) if isinstance(block, PictureInput) else sent
            for block, sent in pairs
        ]
        try:
            if _is_of_the_api(block_fn):
                self.validate_inputs(block_fn, inputs)
                pairs = zip(block_fn.inputs, inputs, strict=False)
                return [await _received(block, sent, has_files) for block, sent in pairs]
            ready: list[Any] = await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except Exception as error:
            if isinstance(error, gr.Error) and not error.print_exception:
                raise  # of our own components; Gradio's own repeat what was sent
            said = NOT_HERE if is_of_others(inputs) else WRONG_INPUTS
            raise gr.Error(said, print_exception=False) from error
        return ready


@contextlib.contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Whatever is raised is a `gr.Error` that says it to who asks, and the log what failed."""
    try:
        yield
    except gr.Error:
        raise
    except RecommenderError as error:
        raise gr.Error(str(error), visible=False, print_exception=False) from error
    except Exception as error:
        log.exception("an answer failed")
        raise gr.Error(FAILED, print_exception=False) from error


def leave_matplotlib_alone() -> None:
    """Gradio looks for it before and after each answer, in every folder there is."""
    utils.MatplotlibBackendMananger = contextlib.nullcontext  # type: ignore[misc,assignment]


def _as_gradio_has_it(answer: Any, seconds: float) -> dict[str, Any]:
    """An answer as `Blocks.process_api` gives it."""
    return {
        "data": [answer],
        "is_generating": False,
        "iterator": None,
        "duration": seconds,
        "average_duration": seconds,
        "render_config": None,
        "changed_state_ids": [],
    }


def _is_name(session: str | None) -> bool:
    """Whether a session may be called so, as all are that a page or a client names."""
    return session is None or (0 < len(session) <= _LONGEST_SESSION and session.isprintable())


def _look_through(inputs: list[Any]) -> bool:
    """Whether parameters may name a file; once, level by level, as some hold thousands of texts.

    Raises:
        gr.Error: they are lists within lists ever on, in which whatever walks through them would
            get lost, or half a surrogate pair, which can be neither answered nor written anywhere.
    """
    texts, has_files = set[str](), False
    level: list[Any] = inputs
    for _ in range(_DEEPEST):
        kinds = set(map(type, level))
        if kinds <= {str}:
            texts.update(level)
            break
        texts.update(one for one in level if type(one) is str)
        if not kinds & {list, dict}:
            break
        lists = [one for one in level if type(one) is list]
        objects = [one for one in level if type(one) is dict]
        has_files = has_files or any("meta" in one for one in objects)  # Gradio's mark of one
        level = [*chain(*lists, *objects, *(one.values() for one in objects))]
    else:
        raise gr.Error(WRONG_INPUTS, print_exception=False)
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise gr.Error(WRONG_INPUTS, print_exception=False) from error
    return has_files


def _request_at(handler: Callable[..., Any] | None) -> int | None:
    """At which place a handler takes who asks; None where it does not."""
    if handler is None:
        return None
    hints = get_type_hints(handler)
    taken = [hints.get(name) is gr.Request for name in inspect.signature(handler).parameters]
    return taken.index(True) if True in taken else None


def _names_address(given: Any) -> bool:
    """Whether a parameter names a picture by its web address, or several of which one does.

    >>> _names_address("https://shop.example/tee.jpg"), _names_address("tee"), _names_address(5)
    (True, False, False)
    """
    if isinstance(given, list):
        texts = set(map(type, given)) <= {str}
        # The same text is looked at once, however often it is given.
        return any(map(_names_address, set(given) if texts else given))
    if isinstance(given, dict):
        return any(map(_names_address, (given.get("path"), given.get("url"))))
    return isinstance(given, str) and is_web_address(given)


class _NoServer(App):
    """Stands in for Gradio's server."""

    @staticmethod
    def create_app(*_: Any, **__: Any) -> Any:
        """None is made."""
        return None


@contextlib.contextmanager
def _no_server_yet() -> Iterator[None]:
    """Keep Gradio from making a server, with all of its routes, each time that a page is begun,
    ended or given a queue: `launch` makes the one that serves.
    """
    usual, blocks.App = blocks.App, _NoServer  # type: ignore[attr-defined]
    try:
        yield
    finally:
        blocks.App = usual  # type: ignore[attr-defined]


def _is_of_the_api(block_fn: BlockFunction) -> bool:
    return block_fn.api_visibility == "public"


async def _received(block: Any, sent: Any, has_files: bool) -> Any:
    """What a parameter of the API is given, as Gradio's components take it.

    Gradio would ask a thread for each, which takes longer than all that they do; a picture that
    comes as text is written to disk.
    """
    if has_files:  # which are those that were uploaded here
        sent = await async_move_files_to_cache(sent, block, check_in_upload_folder=True)
    model = getattr(block, "data_model", None)
    if model is not None and sent is not None:
        sent = model.model_validate(sent, context={"validate_meta": True})
    if isinstance(block, PictureInput) and sent is not None:
        return await asyncio.to_thread(block.preprocess, sent)
    return block.preprocess(sent)
