"""A file is whole or as it was, whatever happens while it is written."""

import hashlib
import json
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from recommender.files import hash_files, whole_file, write_blocks, write_by_content, write_json


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("by_many", [True, False])
def test_it_is_renamed_into_place_at_the_end(tmp_path: Path, by_many: bool) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    for text in ("first", "second"):
        with whole_file(path, by_many=by_many) as building:
            building.write_text(text)
            assert building.suffix == ".building"
            assert not path.exists() or path.read_text() == "first"
        assert path.read_text() == text
        assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_an_error_leaves_the_file_as_it_was_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    def fail(name: str, text: str) -> None:
        with whole_file(tmp_path / name) as building:
            building.write_text(text)
            raise error

    (tmp_path / "file.txt").write_text("old")
    for name in ("file.txt", "another"):
        with pytest.raises(type(error)):
            fail(name, "half")
    assert (tmp_path / "file.txt").read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def die(path: Path, by_many: bool) -> None:
    with whole_file(path, by_many=by_many) as building:
        building.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("by_many", [True, False])
def test_killed_the_file_is_as_it_was(tmp_path: Path, by_many: bool) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    process = multiprocessing.get_context("spawn").Process(target=die, args=(path, by_many))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert path.read_text() == "old"
    own = f".{process.pid}" if by_many else ""
    assert names(tmp_path) == ["file.txt", f"file.txt{own}.building"]
    with whole_file(path) as building:
        building.write_text("new")
    assert path.read_text() == "new"


def test_a_body_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "file"):
        pass
    assert names(tmp_path) == []


def test_a_file_named_by_its_content(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    path, told = write_by_content(tmp_path / "index.faiss", lambda path: path.write_bytes(b"x"))
    assert told == sha256
    assert path == tmp_path / f"index-{sha256[:16]}.faiss"
    assert path.read_bytes() == b"x"
    with pytest.raises(ZeroDivisionError):
        write_by_content(tmp_path / "index.faiss", lambda path: path.write_bytes(b"y") / 0)
    assert names(tmp_path) == [path.name]
    assert hash_files([path]) == [sha256]


def test_a_file_of_blocks_is_named_by_all_of_them(tmp_path: Path) -> None:
    blocks = [b"head", memoryview(np.arange(99_999)), b""]
    path, sha256 = write_blocks(tmp_path / "index.faiss", iter(blocks))
    assert path.read_bytes() == b"".join(blocks)
    assert [sha256] == hash_files([path])
    assert path == tmp_path / f"index-{sha256[:16]}.faiss"
    with pytest.raises(ZeroDivisionError):
        write_blocks(tmp_path / "index.faiss", (bytes(1 // n) for n in (1, 0)))
    assert names(tmp_path) == [path.name]


def test_json_for_people(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "report.json"
    write_json(path, {"P@5": 0.5, "é": [1]})
    assert path.read_text() == json.dumps({"P@5": 0.5, "é": [1]}, indent=1) + "\n"
    assert names(path.parent) == ["report.json"]


def test_json_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_json(tmp_path / "link", 1)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "1\n"
    write_json(Path(os.devnull), 1)
    assert Path(os.devnull).is_char_device()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_others_may_read_what_the_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    """Whatever writes it: safetensors makes files that its owner alone can read."""
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "a") as building:
            save_file({"x": np.zeros(3)}, building)
        named, _ = write_by_content(
            tmp_path / "b.x", lambda path: save_file({"x": np.ones(3)}, path)
        )
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a", named)} == {mode}
