"""Who asks for more than a share is told when to ask again; others do not notice."""

from pathlib import Path

import httpx
import pytest
from conftest import ROWS
from hypothesis import given
from hypothesis import strategies as st
from serving import call, serve

from recommender.errors import SettingError
from recommender.search.recommender import Recommender
from recommender.ui.server import page
from recommender.ui.server.door import Door
from recommender.ui.server.shares import Buckets, Share, address_of, read_networks

LOCAL = read_networks("127.0.0.0/8, ::1")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_is_emptied_at_once_and_filled_for_long() -> None:
    clock = Clock()
    buckets = Buckets(Share(a_second=2, at_once=3), clock)
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b") == 0
    clock.now = 0.25
    assert buckets.wait("a") == 0.25
    clock.now = 0.5
    assert [buckets.wait("a"), buckets.wait("a")] == [0, 0.5]
    clock.now = 100
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 5), st.floats(1, 8))
def test_nobody_gets_more_than_a_share(
    pauses: list[float], a_second: float, at_once: float
) -> None:
    clock, got = Clock(), 0
    buckets = Buckets(Share(a_second=a_second, at_once=at_once), clock)
    for pause in pauses:
        clock.now += pause
        wait = buckets.wait("a")
        got += wait == 0
        assert got <= at_once + a_second * clock.now + 1e-6
        if wait:  # who waits as long as told gets an answer
            clock.now += wait + 1e-9
            assert buckets.wait("a") == 0
            got += 1


def test_as_many_as_are_remembered_take_bounded_room() -> None:
    buckets = Buckets(Share(a_second=1, at_once=1))
    for number in range(20_000):
        buckets.wait(str(number))
    assert len(buckets._left) == 10_000


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("9.9.9.9", "", "9.9.9.9"),
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),  # nobody that is trusted
        ("127.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("127.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),  # the first one is the visitor's own word
        ("127.0.0.1", "6.6.6.6, 1.1.1.1 , 127.0.0.2", "1.1.1.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", " , ", "127.0.0.1"),
        ("::1", "nonsense", "nonsense"),
        ("testclient", "1.1.1.1", "testclient"),
    ],
)
def test_where_a_visitor_is(peer: str, forwarded: str, address: str) -> None:
    assert address_of(peer, forwarded, LOCAL) == address


def test_one_address_has_a_share(recommender: Recommender, tmp_path: Path) -> None:
    door = Door(share=Share(a_second=0.01, at_once=3), trusted=LOCAL)
    asked = {"data": [ROWS[0][0]]}
    with serve(recommender, tmp_path, door=door) as live:

        def ask(address: str, path: str = "gradio_api/call/item") -> httpx.Response:
            head = {"x-forwarded-for": address}
            if path.startswith("trends"):
                return httpx.get(f"{live}/{path}", headers=head)
            return httpx.post(f"{live}/{path}", json=asked, headers=head)

        assert [ask("1.1.1.1").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = ask("1.1.1.1", "trends/colours.csv")
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 100
        assert refused.json()["error"].startswith("This is more than one visitor's share")
        assert ask("2.2.2.2").status_code == 200
        # What is only served costs nothing.
        for path in ("", "pictures/1", "healthz", "metrics"):
            for _ in range(5):
                answer = httpx.get(f"{live}/{path}", headers={"x-forwarded-for": "3.3.3.3"})
                assert answer.status_code == 200


def test_one_session_has_a_share(
    recommender: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_A_SESSION", Share(a_second=0.01, at_once=3))
    with serve(recommender, tmp_path) as live:
        asked = f"{live}/gradio_api/call/item"

        def ask(session: str) -> str:
            body = {"data": [ROWS[0][0]], "session_hash": session}
            event = httpx.post(asked, json=body).json()["event_id"]
            return httpx.get(f"{asked}/{event}").text

        for _ in range(3):
            assert "event: complete" in ask("one")
        assert "more than one visitor's share of the server: wait" in ask("one")
        assert "event: complete" in ask("other")
        for _ in range(5):  # by curl each is a session of its own
            assert "error" not in call(live, "item", ROWS[0][0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FASHION_ORIGIN", "shop.example"),
        ("FASHION_TRUSTED_PROXIES", "10.0.0.0/40"),
        ("FASHION_TRUSTED_PROXIES", "proxy.example"),
        ("FASHION_FAIR_SHARE", "-1"),
        ("FASHION_FAIR_SHARE", "nan"),
        ("FASHION_FAIR_SHARE", "many"),
    ],
)
def test_settings_that_cannot_be(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is a "):
        Door.read({name: value})


def test_settings() -> None:
    assert Door.read({}).share is not None
    assert Door.read({"FASHION_FAIR_SHARE": "0"}).share is None
    assert Door.read({"FASHION_FAIR_SHARE": "2.5"}).share == Share(a_second=2.5, at_once=10)
    assert Door.read({"FASHION_TRUSTED_PROXIES": "127.0.0.0/8, ::1"}).trusted == LOCAL
