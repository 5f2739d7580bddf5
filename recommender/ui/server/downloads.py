"""What is taken away: `/trends/NAME.csv` and `.html` of a chart, `/shortlist.csv` of kept items."""

import asyncio
import gzip
import json
import shutil
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from weakref import WeakKeyDictionary, finalize

import gradio as gr
import pandas as pd
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from recommender.charts.export import csv_of, harmless_csv, page_of, source_of
from recommender.errors import QueryError
from recommender.files import whole_file
from recommender.service.answers import Service
from recommender.service.trends import DEMAND, RESULTS, Question, Trends
from recommender.trends.own import OWN
from recommender.trends.sections import NAMES
from recommender.ui.find.place import read_ids
from recommender.ui.server.origin import origin_of

_MEDIA = {"csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8"}


class _Packed(FileResponse):
    """A file that is read in few steps, between which others are answered."""

    chunk_size = 2**20


class _Files:
    """Those of a whole catalog, made once, when first asked for; a page of the map has 10 MB.

    They lie, packed, in a folder that lives as long as the catalog is served.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._folders: WeakKeyDictionary[Trends, Path] = WeakKeyDictionary()

    def path(self, trends: Trends, name: str, kind: str, question: Question) -> Path:
        """Where the file is now."""
        with self._lock:
            if trends not in self._folders:
                folder = Path(mkdtemp(prefix="fashion-trends-"))
                self._folders[trends] = folder
                finalize(trends, shutil.rmtree, folder, ignore_errors=True)
            path = self._folders[trends] / f"{name}-{question.attribute}.{kind}.gz"
            if not path.exists():
                with whole_file(path) as building:
                    building.write_bytes(_packed(_text(trends, name, kind, question)))
        return path


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
    files = _Files()

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
            path = files.path(trends, name, kind, question)
            if packed:
                return _Packed(path, media_type=media_type, headers=head)
            content = gzip.decompress(path.read_bytes())
        else:
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
        except QueryError as error:
            return PlainTextResponse(str(error), status_code=400)

    return Route("/trends/{file}", download)


def shortlist_route(service: Service) -> Route:
    """`/shortlist.csv?ids=1,2`: items with all their columns and their pictures' addresses."""

    def table(ids: str, origin: str) -> str:
        named = read_ids(ids, service.recommender)
        return harmless_csv(pd.DataFrame([*service.items(named, origin).values()]))

    async def shortlist(request: Request) -> Response:
        origin = origin_of(gr.Request(request))
        text = await asyncio.to_thread(table, request.query_params.get("ids", ""), origin)
        head = {"content-disposition": 'attachment; filename="shortlist.csv"'}
        return Response(text, media_type=_MEDIA["csv"], headers=head)

    return Route("/shortlist.csv", shortlist)
