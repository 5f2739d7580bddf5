"""A store and weights on the Hub: pushed and pulled whole, or not at all.

In the dataset repo a file is named by its content, so that a commit only ever adds files; the last
one replaces `manifest.json`, which alone says what belongs to the store, and the card, and removes
what is stale. Each commit holds a whole store, the old one or the new. What comes back is checked
against the manifest's sha256s before anything of the local store is touched.
"""

import errno
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from recommender.errors import HubError, RecommenderError, StoreError
from recommender.files import FULL, hash_files
from recommender.hub.parcel import REMOTE, STAGING, check_files, pack, read_parcel, unpack
from recommender.store.manifest import (
    MANIFEST_FILE,
    Manifest,
    carried_weights,
    load_manifest,
    with_weights,
)
from recommender.store.store import Store, writing

PULLED_FILE = "pulled.json"
_FILES_A_COMMIT = 100
_MAX_MANIFEST_BYTES = 64 * 2**20
_REPO = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}")


@dataclass(frozen=True)
class Address:
    """A repo on the Hub at a revision, written `OWNER/NAME` or `OWNER/NAME@REVISION`."""

    repo: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises:
        HubError: it is written in another way.
        """
        repo, _, revision = text.partition("@")
        if not _REPO.fullmatch(repo) or not re.fullmatch(r"[\w./-]{0,200}", revision):
            raise HubError(f"{text!r} is no repo: write OWNER/NAME or OWNER/NAME@REVISION.")
        return cls(repo, revision or "main")

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}"


Card = Callable[[Store, Sequence[str]], Mapping[str, bytes]]
"""A store and its Parquet files' paths in the repo -> the card and its pictures, path -> bytes."""


def push_store(
    directory: Path,
    repo: str,
    *,
    make_card: Card,
    private: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Push a store to a dataset repo, which is made where it is not there.

    Pushing again after an interruption uploads only what is not there yet.

    Args:
        directory: the store.
        repo: `OWNER/NAME`.
        make_card: writes the dataset's card.
        private: whether a repo that is made is private.
        token: of the Hub; the one that is logged in with if None.
        endpoint: the Hub's address; the usual one if None.

    Returns:
        The commit that holds it, to pull exactly this.

    Raises:
        StoreError: there is no whole store here.
        HubError: the Hub refuses or cannot be reached; it then holds what it held.
    """
    repo = Address.parse(repo).repo
    store = Store.open(directory)
    parcel, local = pack(store)
    card = make_card(store, [file.path for file in parcel.shards])
    with plain_errors(repo, "pushed"):
        api = HfApi(endpoint=endpoint, token=token)
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = partial(api.create_commit, repo, repo_type="dataset")
        head = api.repo_info(repo, repo_type="dataset").sha
        remote = _tree(api, repo, head)
        # A path is its content's hash, so what is there is what it should be.
        missing = [path for path in local if path not in remote]
        for start in range(0, len(missing), _FILES_A_COMMIT):
            batch = missing[start : start + _FILES_A_COMMIT]
            adds = [CommitOperationAdd(path, str(local[path])) for path in batch]
            message = f"Add {len(adds)} files of the next version"
            head = commit(adds, commit_message=message, parent_commit=head).oid
        stale = [path for path in remote if REMOTE.fullmatch(path) and path not in local]
        last = {**card, MANIFEST_FILE: parcel.to_json().encode()}
        adds = [CommitOperationAdd(path, data) for path, data in last.items()]
        operations = [*adds, *map(CommitOperationDelete, stale)]
        message = f"{store.manifest.count:,} items"
        head = commit(operations, commit_message=message, parent_commit=head).oid
    shutil.rmtree(directory / STAGING, ignore_errors=True)
    return str(head)


def pull_store(
    address: Address,
    directory: Path,
    *,
    accept: Callable[[Manifest], object],
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Pull a store at a revision, check all of it and only then make it the local one.

    Args:
        address: the dataset repo and the revision.
        directory: the local store, which stays as it is until the new one is whole.
        accept: raises where what runs here cannot serve the store.
        token, endpoint: as of `push_store`.

    Returns:
        The commit that was pulled.

    Raises:
        HubError: the Hub refuses or cannot be reached, what came is not what the manifest says,
            or the disk is full. The local store is as it was.
        RecommenderError: what `accept` raises.
    """
    if _is_there(address, directory):
        return address.revision
    staging = directory / STAGING
    with plain_errors(address, "pulled"), writing(directory, make=True):
        staging.mkdir(parents=True, exist_ok=True)
        api = HfApi(endpoint=endpoint, token=token)
        head = api.repo_info(address.repo, repo_type="dataset", revision=address.revision)
        commit = str(head.sha)
        tree = _tree(api, address.repo, commit)
        where = {"repo_type": "dataset", "revision": commit}
        download = partial(api.snapshot_download, address.repo, **where, local_dir=staging)
        if not 0 < tree.get(MANIFEST_FILE, 0) <= _MAX_MANIFEST_BYTES:
            raise HubError(
                f"{address} holds no store: push one by `python -m scripts.push_to_hub`."
            )
        (staging / MANIFEST_FILE).unlink(missing_ok=True)
        download(allow_patterns=[MANIFEST_FILE])
        parcel = read_parcel(staging / MANIFEST_FILE)
        if any(tree.get(file.path) != file.size for file in parcel.files):
            raise HubError(f"{address} lacks a file that its manifest names: push it again.")
        carried = carried_weights(parcel.store)
        if carried is None:
            accept(parcel.store)
        # The catalog is there as Parquet, as Arrow, and as Arrow under its own name.
        needed = sum(f.size for f in parcel.files) + 2 * sum(f.size for f in parcel.shards)
        if shutil.disk_usage(staging).free < needed:
            raise OSError(errno.ENOSPC, "no space")
        if wanted := [f.path for f in parcel.files if not (staging / f.path).is_file()]:
            download(allow_patterns=wanted)
        check_files(staging, parcel.files)
        if carried is not None:
            accept(with_weights(parcel.store, str(staging / parcel.own[carried].path)))
        unpack(parcel, staging, directory, source=f"hub:{address.repo}@{commit}")
        text = json.dumps(_pulled(address.repo, commit, directory))
        (directory / PULLED_FILE).write_text(text, encoding="utf-8")
    shutil.rmtree(staging, ignore_errors=True)
    return commit


def push_folder(
    folder: Path,
    repo: str,
    *,
    repo_type: str,
    private: bool = False,
    ignore: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Push a folder as a model or a Space, which is made where it is not there.

    Args:
        folder: what is pushed; of a Space, what the repo has besides is removed.
        repo: `OWNER/NAME`.
        repo_type: `model` or `space`.
        private: whether a repo that is made is private.
        ignore: patterns of paths that do not belong.
        variables: of a Space, set once it is there.
        token, endpoint: as of `push_store`.

    Returns:
        The repo's web address.

    Raises:
        HubError: the Hub refuses or cannot be reached.
    """
    repo = Address.parse(repo).repo
    is_space = repo_type == "space"
    with plain_errors(repo, "pushed"):
        api = HfApi(endpoint=endpoint, token=token)
        sdk = "gradio" if is_space else None
        url = api.create_repo(
            repo, repo_type=repo_type, private=private, exist_ok=True, space_sdk=sdk
        )
        for key, value in (variables or {}).items():
            api.add_space_variable(repo, key, value)
        api.upload_folder(
            repo_id=repo,
            repo_type=repo_type,
            folder_path=folder,
            ignore_patterns=list(ignore),
            delete_patterns="*" if is_space else None,
        )
    return str(url)


def _tree(api: HfApi, repo: str, revision: str | None) -> dict[str, int]:
    """Path -> size of each file of a dataset repo."""
    entries = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type="dataset")
    return {entry.path: entry.size for entry in entries if isinstance(entry, RepoFile)}


def _is_there(address: Address, directory: Path) -> bool:
    """Whether the local store is the very commit that is asked for, so that no Hub is needed."""
    try:
        pulled = json.loads((directory / PULLED_FILE).read_text(encoding="utf-8"))
        load_manifest(directory)
    except (OSError, ValueError, StoreError):
        return False
    return bool(pulled == _pulled(address.repo, address.revision, directory))


def _pulled(repo: str, commit: str, directory: Path) -> dict[str, str]:
    """What the local store is of, as long as it is not changed here."""
    [manifest] = hash_files([directory / MANIFEST_FILE])
    return {"repo": repo, "commit": commit, "manifest": manifest}


_AGAIN = "run the same again, it goes on where it was"
_AWAY = f"{{address}} could not be {{done}} ({{kind}}): see the network; {_AGAIN}."
_SENTENCES: Sequence[tuple[Collection[object], str]] = (
    (
        {LocalTokenNotFoundError},
        "{address} cannot be {done} without a token: log in by `hf auth login`.",
    ),
    (
        {RevisionNotFoundError},
        "{address} is not there: name a commit, branch or tag that the repo has.",
    ),
    (
        {RepositoryNotFoundError, 401},
        "The Hub shows no {address} to this token: see the name and, of a repo that is private or "
        "to be pushed, log in by `hf auth login`.",
    ),
    ({403}, "This token may not write to {address}: take one with write access to it."),
    ({409, 412}, "{address} was changed by somebody else meanwhile: run the same again."),
    ({429}, f"The Hub asks for a pause: {_AGAIN} in some minutes."),
    (range(500, 600), f"The Hub has trouble ({{code}}): {_AGAIN} in some minutes."),
    ({LocalEntryNotFoundError}, _AWAY),
    ({EntryNotFoundError}, "{address} holds no whole store: push it again."),
    (
        FULL,
        "The disk is too full for {address}: make room and run the same again.",
    ),
    ({PermissionError}, "{address} cannot be {done}: see the permissions of the store's folder."),
    ({Exception}, _AWAY),
)
"""What was raised, or the code of the Hub's answer or of the system -> what is said; the first."""


@contextmanager
def plain_errors(address: object, done: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one sentence that says what to do.

    Raises:
        HubError: whatever went wrong.
    """
    try:
        yield
    except RecommenderError:
        raise
    except Exception as error:  # the Hub's client lets every kind of error through
        cause: BaseException = error
        while isinstance(cause, RuntimeError) and cause.__cause__ is not None:
            cause = cause.__cause__
        response = getattr(cause, "response", None)
        code = getattr(response, "status_code", getattr(cause, "errno", None))
        marks = {*type(cause).__mro__, code}
        sentence = next(sentence for of, sentence in _SENTENCES if not marks.isdisjoint(of))
        raise HubError(
            sentence.format(address=address, done=done, code=code, kind=type(cause).__name__)
        ) from error
