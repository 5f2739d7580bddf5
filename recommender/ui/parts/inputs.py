"""Gradio components whose values reach our own checks as they were sent."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from recommender.errors import ImageError
from recommender.pictures.decode import VISITOR_LIMITS, format_of

_EXAMPLE = (
    "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset/HEAD/images/"
    "0eb7bab9-e735-416f-a4cf-74535a7563fe.jpg"
)
"""A checked shirt on a bed, of the Clothing dataset, CC0."""

Values = dict[Any, Any]
"""A component -> its value or, to change more than that, a component to take its place."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Of an event of the page's own, at whose answer nobody looks for progress."""


def is_web_address(text: str) -> bool:
    """Whether a text that names a picture names it by its web address."""
    return text.lower().startswith(("http://", "https://"))


def named_picture(image: str | None, url: str) -> tuple[str | None, str]:
    """The file, or the web address that may come in its place."""
    return (None, image) if image is not None and is_web_address(image) else (image, url)


class PictureInput(gr.Image):
    """An image that hands over the path of the file as it was sent.

    Gradio's own opens it with every format that Pillow knows and with no limit, and fails with
    errors that a visitor cannot read; here `images` is the only one to open it.
    """

    is_template = True  # the page draws it as the gr.Image that it is

    @staticmethod
    def unmarked(sent: Any) -> Any:
        """What was sent, without Gradio's mark of a file where it is a web address.

        Gradio would fetch it, by a road without limits. An address may come as it is, too.
        """
        if isinstance(sent, str) and (is_web_address(sent) or sent.startswith("data:")):
            return {"url": sent}
        if isinstance(sent, dict):
            address = sent.get("path") or sent.get("url")
            if isinstance(address, str) and is_web_address(address):
                return {"url": address}
        return sent

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The path of the file or its web address, or None where there is none."""
        if payload is None:
            return None
        if payload.url and is_web_address(payload.url) and payload.path is None:
            return payload.url
        if payload.url and payload.url.startswith("data:"):
            return self._save_data_url(payload.url)
        if payload.path is None:
            return None
        # Gradio checks only those paths that come with its own mark.
        if not Path(payload.path).resolve().is_relative_to(Path(self.GRADIO_CACHE).resolve()):
            raise gr.Error("A file is one that was uploaded here.", print_exception=False)
        return payload.path

    def _save_data_url(self, url: str) -> str:
        limit = VISITOR_LIMITS.max_bytes
        _, _, encoded = url.partition(",")
        if len(encoded) * 3 / 4 > limit:
            raise gr.Error(f"A picture has at most {limit >> 20} MB.", print_exception=False)
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)  # commands wrap lines
        except (binascii.Error, ValueError) as error:
            message = "This data URL is not base64 of a picture."
            raise gr.Error(message, print_exception=False) from error
        return self.keep(data)

    def example_payload(self) -> dict[str, Any]:
        """What the API's page shows: a photograph that everyone may use."""
        meta = {"_type": "gradio.FileData"}
        return {"path": _EXAMPLE, "url": _EXAMPLE, "orig_name": "shirt.jpg", "meta": meta}

    def keep(self, data: bytes) -> str:
        """Write a picture's bytes where uploads are, to be deleted as they are."""
        try:
            suffix = f".{format_of(data)}"  # without one, browsers would be told that it is a text
        except ImageError:
            suffix = ""  # whoever opens it says what is wrong
        path = Path(self.GRADIO_CACHE, f"{secrets.token_hex(16)}{suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=False)  # for nobody else on this machine
            path.write_bytes(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            message = "No picture can be kept here right now, as the disk refuses: try it later."
            raise gr.Error(message, print_exception=False) from error
        return str(path)


class ObjectInput(gr.JSON):
    """A JSON object of the API, which says that it is one to whoever reads the schema."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {}}

    def example_payload(self) -> dict[str, Any]:
        return {}

    def example_value(self) -> dict[str, Any]:
        return {}


class IdsInput(gr.JSON):
    """A list of items' ids, which says that it is one in the schema."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        return {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}

    def example_payload(self) -> list[int]:
        return []

    def example_value(self) -> list[int]:
        return []


class IdInput(gr.JSON):
    """An item's id, which says its forms in the schema."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}

    def example_payload(self) -> None:
        return None

    def example_value(self) -> None:
        return None


class RegionInput(gr.JSON):
    """A part of a picture, as `read_region` takes it, which says its forms in the schema."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        sides = {"type": "array", "items": {"type": "number"}}
        return {"anyOf": [{"type": "string", "enum": ["auto"]}, sides, {"type": "null"}]}

    def example_payload(self) -> str:
        return "auto"

    def example_value(self) -> str:
        return "auto"


class RawNumber(gr.Number):
    """A number of the API that reaches the engine's own check, whatever it is."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload


class EndBox(gr.Number):
    """An end of a range, which is empty at first: of nothing, the page would make a zero."""

    is_template = True  # which counts for the class right above alone

    def preprocess(self, payload: Any) -> Any:
        return payload

    def postprocess(self, value: Any) -> Any:
        return "" if value is None else value


class Choice(gr.Dropdown):
    """A box whose choices change with the catalog: what is chosen reaches what reads it.

    Gradio's own refuses what was no choice when the page was built.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload


def in_order(ends: Sequence[Any]) -> list[Any]:
    """The ends of a period, of which either box may hold the earlier one.

    What cannot be ordered stays as it is, for what reads it to refuse.
    """
    try:
        return sorted(ends)
    except TypeError:
        return list(ends)
