"""What is taken away: `/trends/NAME.csv` and `.html` of a chart, `/shortlist.csv` of kept items."""

import asyncio
import gzip
import json
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from weakref import WeakKeyDictionary, finalize

import gradio as gr
import pandas as pd
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from recommender.charts.export import csv_of, harmless_csv, page_of, source_of
from recommender.errors import QueryError, RecommenderError
from recommender.files import whole_file
from recommender.service.answers import Service
from recommender.service.trends import DEMAND, RESULTS, Question, Trends
from recommender.trends.own import OWN
from recommender.trends.sections import NAMES
from recommender.ui.find.place import read_ids
from recommender.ui.server.origin import origin_in_answers

_MEDIA = {"csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8"}


_BYTES_A_SECOND = 32 * 2**20
"""That all downloads have together: a page of the map in a tenth of a second, where one asks."""


class Pace:
    """Lets through so many bytes a second, in the order of who came. Of one event loop."""

    def __init__(self, bytes_a_second: float = _BYTES_A_SECOND) -> None:
        self._bytes_a_second, self._free_at = bytes_a_second, 0.0

    async def wait(self, count: int) -> None:
        """Until so many more may go."""
        now = asyncio.get_running_loop().time()
        begins_at = max(now, self._free_at)
        self._free_at = begins_at + count / self._bytes_a_second
        if begins_at > now:
            await asyncio.sleep(begins_at - now)


class _Paced(FileResponse):
    """A file whose parts wait for their turn, as others are answered between them."""

    chunk_size = 2**18

    def __init__(self, path: Path, pace: Pace, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(path, media_type=media_type, headers=headers)
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def paced(message: Message) -> None:
            await self._pace.wait(len(message.get("body", b"")))
            await send(message)

        await super().__call__(scope, receive, paced)


class _Files:
    """Those of a whole catalog, made once, when first asked for; a page of the map has 10 MB.

    They lie, packed and as they are, in a folder that lives as long as the catalog is served.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._folders: WeakKeyDictionary[Trends, Path] = WeakKeyDictionary()

    def path(
        self, trends: Trends, name: str, kind: str, question: Question, *, packed: bool
    ) -> Path:
        """Where the file is now."""
        with self._lock:
            if trends not in self._folders:
                folder = Path(mkdtemp(prefix="fashion-trends-"))
                self._folders[trends] = folder
                finalize(trends, shutil.rmtree, folder, ignore_errors=True)
            path = self._folders[trends] / f"{name}-{question.attribute}.{kind}"
            small = path.with_name(f"{path.name}.gz")
            if not (path.exists() and small.exists()):
                text = _text(trends, name, kind, question)
                for each, content in ((path, text.encode()), (small, _packed(text))):
                    with whole_file(each) as building:
                        building.write_bytes(content)
        return small if packed else path


def _packed(text: str) -> bytes:
    """What Gradio would make of it while everyone else waits, at each download anew."""
    return gzip.compress(text.encode(), compresslevel=6)


def _text(trends: Trends, name: str, kind: str, question: Question) -> str:
    chart = trends.charts([name], question)[name]
    if kind == "csv":
        return csv_of(chart)
    return page_of({name: chart}, chart.title, about=source_of(len(trends.frame)))


def download_route(service: Service) -> Route:
    """The route; `?ask=` is the JSON object of what `/trends` takes."""
    files, pace = _Files(), Pace()

    def answer(name: str, kind: str, ask: str, packed: bool) -> Response:
        try:
            parameters = json.loads(ask)
            if not isinstance(parameters, dict):
                raise TypeError
            question = Question.of(**parameters)
        except (ValueError, TypeError, RecursionError) as error:
            raise QueryError('ask is an object such as {"filters": {}}.') from error
        part = "-filtered" if question.filters else ""
        head = {"content-disposition": f'attachment; filename="{name}{part}.{kind}"'}
        head["vary"] = "accept-encoding"
        if packed:
            head["content-encoding"] = "gzip"
        trends, media_type = service.trends, _MEDIA[kind]
        if name in NAMES and question == Question(attribute=question.attribute):
            with suppress(OSError):  # a disk that takes no more: it is made for each who asks
                path = files.path(trends, name, kind, question, packed=packed)
                return _Paced(path, pace, media_type, head)
        text = _text(trends, name, kind, question)
        content = _packed(text) if packed else text.encode()
        return Response(content, media_type=media_type, headers=head)

    async def download(request: Request) -> Response:
        name, _, kind = request.path_params["file"].rpartition(".")
        if name not in (*NAMES, *OWN, RESULTS, *DEMAND) or kind not in _MEDIA:
            return PlainTextResponse("There is no such file.", status_code=404)
        try:
            ask = request.query_params.get("ask", "{}")
            packed = "gzip" in request.headers.get("accept-encoding", "")
            return await asyncio.to_thread(answer, name, kind, ask, packed)
        except RecommenderError as error:
            status = 400 if isinstance(error, QueryError) else 503
            return PlainTextResponse(str(error), status_code=status)

    return Route("/trends/{file}", download)


def shortlist_route(service: Service) -> Route:
    """`/shortlist.csv?ids=1,2`: items with all their columns and their pictures' addresses."""

    def table(ids: str, origin: str) -> str:
        named = read_ids(ids, service.recommender)
        return harmless_csv(pd.DataFrame([*service.items(named, origin).values()]))

    async def shortlist(request: Request) -> Response:
        origin = origin_in_answers(gr.Request(request))
        try:
            text = await asyncio.to_thread(table, request.query_params.get("ids", ""), origin)
        except RecommenderError as error:
            return PlainTextResponse(str(error), status_code=503)
        head = {"content-disposition": 'attachment; filename="shortlist.csv"'}
        return Response(text, media_type=_MEDIA["csv"], headers=head)

    return Route("/shortlist.csv", shortlist)
