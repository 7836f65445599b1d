"""The server keeps what the page hands in, and nothing else."""

from __future__ import annotations

import http.client
import json
import resource
import runpy
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.listening.design import read_design
from layerstats.listening.page import PageLinks, parse_submission, write_page
from layerstats.listening.server import AnswersConflictError, ListeningServer, ReceivedAnswers
from layerstats.listening.server import http_server as http_server_module
from layerstats.listening.server import received as received_module

_ROOM = Path(__file__).resolve().parents[1]
written_design = runpy.run_path(str(_ROOM / "page" / "small_designs.py"))["written_design"]


@pytest.fixture(scope="module")
def design_folder(tmp_path_factory):
    return written_design(tmp_path_factory.mktemp("design"), "opinion")


@pytest.fixture(scope="module")
def page(design_folder, tmp_path_factory):
    links = PageLinks(post_to="answers", assign_from="session")
    return write_page(design_folder, tmp_path_factory.mktemp("page") / "page", links=links)


@pytest.fixture
def answers(tmp_path):
    return tmp_path / "answers"


@pytest.fixture
def server(design_folder, page, answers):
    received = ReceivedAnswers(answers, read_design(design_folder))
    with ListeningServer(page.parent, received, port=0, origins=["https://example.org"], most_bytes=100_000) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def given(design_folder, session=1, submission="a" * 32, ratings=(3, 4, 5, 1), **changed):
    design = read_design(design_folder)
    clips = design.trials.loc[design.trials["session"] == session].sort_values("position")["clip"].tolist()
    when = "2026-11-26T16:40:00.000Z"
    answers = [
        {"clip": clip, "position": place, "training": clip == "practice", "rating": rating, "seconds": 1.5, "plays": 1,
         "answered_at": when}
        for place, (clip, rating) in enumerate(zip(clips, ratings, strict=True), start=1)
    ]  # fmt: skip
    return {"format": "layerstats listening answers 1", "design_hash": design.hash, "submission": submission,
            "task": "opinion", "session": session, "rater": "ann", "started_at": when, "finished_at": when,
            "completion_code": "MINE", "answers": answers, **changed}  # fmt: skip


def ask(server, method, path, body=None, headers=None, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_address[1]}")
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given_headers = {} if content is None else {"Content-Type": "application/json", "Content-Length": str(len(content))}
    for name, value in {**given_headers, **(headers or {})}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(content)
    response = connection.getresponse()
    told = response.status, response.read(), dict(response.getheaders())
    connection.close()
    return told


def raw(server, text, wait_s=20):
    """Send bytes as they are; return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=wait_s) as connection:
        connection.sendall(text)
        back = b""
        while part := connection.recv(65536):
            back += part
        return back


def test_answers_are_kept_once_however_often_they_are_sent(server, design_folder, answers):
    body = given(design_folder, comment="=1+1 <b>😀\ud83d</b>")
    text = json.dumps(body).encode()
    status, said, _ = ask(server, "POST", "/answers", text)
    assert (status, json.loads(said)) == (201, {"completion_code": "MINE", "completion_url": None})
    status, said, _ = ask(server, "POST", "/answers", text)
    assert (status, json.loads(said)) == (200, {"completion_code": "MINE", "completion_url": None})
    (file,) = answers.iterdir()
    kept = parse_submission(file.read_bytes())
    assert [answer.rating for answer in kept.answers] == [3, 4, 5, 1]
    assert kept.comment == "=1+1 <b>😀?</b>"
    # Something else under the same submission is refused, and what is there stays.
    status, said, _ = ask(server, "POST", "/answers", given(design_folder, ratings=(1, 1, 1, 1)))
    assert status == 409
    assert b"already" in said
    assert parse_submission(file.read_bytes()) == kept
    assert ask(server, "POST", "/answers", given(design_folder, submission="b" * 32))[0] == 201
    assert len(list(answers.iterdir())) == 2


def test_many_at_once_lose_nothing(server, design_folder, answers):
    bodies = [given(design_folder, submission=f"{number % 20:032x}", rater=f"r{number % 20}") for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda body: ask(server, "POST", "/answers", body)[0], bodies))
    assert sorted(statuses) == [200] * 40 + [201] * 20
    assert len(list(answers.iterdir())) == 20
    assert {parse_submission(file.read_bytes()).rater for file in answers.iterdir()} == {f"r{n}" for n in range(20)}


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"design_hash": "0" * 64}, 409, b"another design"),
        ({"session": 7}, 400, b"no session 7"),
        ({"session": 2}, 400, b"not those of session 2"),
        ({"answers": []}, 400, b"not those of session 1"),
        ({"rater": "x" * 301}, 400, b"rater"),
        ({"submission": "../../../../etc/x"}, 400, b"submission"),
        ({"evil": 1}, 400, b"evil"),
    ],
)
def test_what_the_design_does_not_allow_is_refused(server, design_folder, answers, changed, status, message):
    got, said, _ = ask(server, "POST", "/answers", {**given(design_folder), **changed})
    assert (got, message in said) == (status, True)
    assert not answers.exists()


def test_answers_that_could_not_be_chosen_are_refused(server, design_folder, answers):
    assert ask(server, "POST", "/answers", given(design_folder, ratings=(3, 4, 6, 1)))[0] == 400
    body = given(design_folder)
    body["answers"][0]["training"] = False
    assert ask(server, "POST", "/answers", body)[0] == 400
    body = given(design_folder)
    body["answers"][1].update(rating=None, problem="not played")
    assert ask(server, "POST", "/answers", body)[0] == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Length": None}, 411),
        ({"Content-Length": None, "Transfer-Encoding": "chunked"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Length": "-5"}, 400),
        ({"Content-Length": "\u0663".encode()}, 400),
        ({"Content-Length": "1" * 400}, 413),
        ({"Content-Length": "100001"}, 413),
        ({"Content-Length": str(10**9)}, 413),
    ],
)
def test_posts_that_are_not_the_pages_are_refused_unread(server, design_folder, answers, headers, status):
    assert ask(server, "POST", "/answers", given(design_folder), headers)[0] == status
    assert not answers.exists()


def test_a_gigabyte_is_not_read_into_memory(server, answers):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = f"POST /answers HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\nContent-Type: application/json\r\n"
    chunk = b"x" * 1_000_000
    for length in (f"Content-Length: {10**9}", "Transfer-Encoding: chunked"):
        sent = 0
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20) as connection:
            connection.sendall(f"{head}{length}\r\n\r\n".encode())
            try:
                while sent < 10**9:
                    connection.sendall(chunk)
                    sent += len(chunk)
            except OSError:
                pass
        # The server closed long before.
        assert sent < 100_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert not answers.exists()


def test_what_breaks_off_leaves_nothing(server, design_folder, answers):
    body = json.dumps(given(design_folder)).encode()
    head = (f"POST /answers HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()  # fmt: skip
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20) as connection:
        connection.sendall(head + body[:100])
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(1000)
    assert not answers.exists()
    # Two lengths may be read in two ways by two servers.
    twice = head.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n")
    assert b" 411 " in raw(server, twice + body)
    assert ask(server, "POST", "/answers", body)[0] == 201


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 90_000, b"\xff\xff", b'{"format": NaN}', b"null"])
def test_what_is_no_submission_is_refused(server, answers, body):
    status, said, headers = ask(server, "POST", "/answers", body)
    assert status == 400
    assert said.startswith(b"No answers of a listening test")
    assert headers["Content-Type"].startswith("text/plain")
    assert not answers.exists()


def test_own_origins_are_taken(server, design_folder):
    here = f"127.0.0.1:{server.server_address[1]}"
    assert ask(server, "POST", "/answers", given(design_folder), {"Origin": f"http://{here}"})[0] == 201
    assert ask(server, "POST", "/answers", given(design_folder), {"Origin": "https://example.org"})[0] == 200
    assert ask(server, "GET", "/", host="example.org")[0] == 200
    assert ask(server, "GET", "/", host=f"localhost:{server.server_address[1]}")[0] == 200
    # A name that somebody else points at this machine.
    assert ask(server, "GET", "/", host="evil.example")[0] == 421
    assert ask(server, "POST", "/answers", given(design_folder), host="evil.example")[0] == 421


def test_only_the_page_and_its_sounds_are_served(server, page, design_folder):
    status, said, headers = ask(server, "GET", "/")
    assert (status, said) == (200, page.read_bytes())
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    sound = next((page.parent / "sounds").iterdir())
    status, said, headers = ask(server, "GET", f"/sounds/{sound.name}")
    assert (status, said, headers["Content-Type"]) == (200, sound.read_bytes(), "audio/wav")
    for path in ("/sounds", "/sounds/", "/../design.json", "/..%2f..%2fdesign/design.json", "/sounds/../../x",
                 "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/answers", "/index.html%00",
                 f"/{design_folder}/design.json"):  # fmt: skip
        assert ask(server, "GET", path)[0] == 404, path
    assert ask(server, "POST", "/", b"{}")[0] == 404
    assert ask(server, "PUT", "/answers", b"{}")[0] == 501
    assert ask(server, "HEAD", "/")[:2] == (200, b"")


def test_parts_of_sounds_are_given_to_browsers_that_ask_for_them(server, page):
    sound = next((page.parent / "sounds").iterdir())
    content, address = sound.read_bytes(), f"/sounds/{sound.name}"
    for asked, part in [("bytes=0-1", slice(0, 2)), ("bytes=100-", slice(100, None)), ("bytes=-7", slice(-7, None))]:
        status, said, headers = ask(server, "GET", address, headers={"Range": asked})
        assert (status, said) == (206, content[part])
        assert headers["Content-Range"].endswith(f"/{len(content)}")
    assert ask(server, "GET", address, headers={"Range": f"bytes={len(content)}-"})[0] == 416
    assert ask(server, "GET", address, headers={"Range": "lines=1-2"})[:2] == (200, content)


def test_sessions_go_round(server, design_folder, answers, monkeypatch):
    def session(rater):
        return json.loads(ask(server, "GET", f"/session?rater={rater}")[1])["session"]

    assert [session(rater) for rater in ("ann", "bob", "ann", "cem")] == [1, 2, 1, 1]
    ask(server, "POST", "/answers", given(design_folder, session=2, rater="bob"))
    assert json.loads(ask(server, "GET", "/session?rater=bob")[1]) == {"session": 2, "done": True}
    assert session("dil") == 2
    assert ask(server, "GET", "/session")[0] == 400
    # Who began long ago and handed nothing in does not count any more.
    later = time.monotonic() + received_module.HELD_S + 1
    monkeypatch.setattr(received_module.time, "monotonic", lambda: later)
    assert session("eva") == 1
    assert session("fay") == 1
    # Nor does it keep others out: only those who began of late are as many as may be.
    monkeypatch.setattr(received_module, "MOST_RATERS", 2)
    assert ask(server, "GET", "/session?rater=gus")[0] == 503


def test_too_many_connections_are_closed_and_others_go_on(server):
    # Not taken back: connections that still end then would be given back to another count.
    server._free = threading.BoundedSemaphore(1)
    here = ("127.0.0.1", server.server_address[1])
    with socket.create_connection(here, timeout=20) as first:
        first.sendall(f"GET /session?rater=ann HTTP/1.1\r\nHost: {here[0]}:{here[1]}\r\n\r\n".encode())
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        with socket.create_connection(here, timeout=20) as second:
            assert second.recv(100) == b""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            assert ask(server, "GET", "/")[0] == 200
            break
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)  # the first is being closed
    else:
        raise AssertionError("the server takes no connection any more")


def test_a_server_that_starts_again_knows_what_was_handed_in(server, design_folder, answers):
    ask(server, "POST", "/answers", given(design_folder, session=1, rater="ann"))
    again = ReceivedAnswers(answers, read_design(design_folder))
    assert (again.session_for("bob"), again.session_for("ann"), again.number) == ((2, False), (1, True), 1)
    text = json.dumps(given(design_folder, session=1, rater="ann")).encode()
    assert again.keep(text)[1] is False
    with pytest.raises(AnswersConflictError):
        again.keep(text.replace(b'"rater": "ann"', b'"rater": "eve"'))
    (answers / "other.json").write_text("{}")
    with pytest.raises(DataError, match="other"):
        ReceivedAnswers(answers, read_design(design_folder))


def test_a_full_disk_is_told_and_nothing_is_half_written(server, design_folder, answers):
    answers.parent.joinpath("answers").write_text("a file where the folder should be")
    assert ask(server, "POST", "/answers", given(design_folder))[0] == 507


def test_two_servers_on_one_folder_overwrite_nothing(design_folder, answers, monkeypatch):
    design = read_design(design_folder)
    servers = [ReceivedAnswers(answers, design) for _ in range(2)]
    texts = [json.dumps(given(design_folder, comment=each)).encode() for each in "ab"]
    assert servers[0].keep(texts[0])[1]
    # The other looked just before the file was there.
    monkeypatch.setattr(received_module.Path, "exists", lambda _: False)
    assert servers[1].keep(texts[0])[1] is False
    with pytest.raises(AnswersConflictError):
        servers[1].keep(texts[1])
    (file,) = answers.iterdir()
    assert parse_submission(file.read_bytes()).comment == "a"


def test_a_disk_that_knows_no_second_names_of_files_is_good_enough(design_folder, answers, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(received_module.os, "link", refuse)
    text = json.dumps(given(design_folder)).encode()
    received = ReceivedAnswers(answers, read_design(design_folder))
    assert [received.keep(text)[1] for _ in range(2)] == [True, False]
    assert len(list(answers.iterdir())) == 1


def test_what_cannot_be_compared_may_be_sent_again_later(server, design_folder, answers):
    body = given(design_folder)
    ask(server, "POST", "/answers", body)
    (file,) = answers.glob("*.json")
    kept = file.read_bytes()
    file.write_bytes(b"")
    status, said, _ = ask(server, "POST", "/answers", body)
    assert (status, str(answers).encode() in said) == (507, False)
    file.write_bytes(kept)
    assert ask(server, "POST", "/answers", body)[0] == 200


def test_who_sends_a_byte_now_and_then_keeps_no_place(server, design_folder, answers, monkeypatch):
    monkeypatch.setattr(http_server_module, "REQUEST_S", 0.5)
    head = f"POST /answers HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n"
    post = f"{head}Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{{".encode()
    for slow in (head.encode(), post):
        with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20) as connection:
            connection.sendall(slow)
            sent = 0
            with pytest.raises(ConnectionError):  # noqa: PT012 - when it is closed is not known
                while sent < 400:
                    time.sleep(0.05)
                    connection.sendall(b"x")
                    sent += 1
    assert not answers.exists()
    assert ask(server, "POST", "/answers", given(design_folder))[0] == 201


def test_a_name_of_the_next_protocol_is_an_address_too(server, design_folder, page):
    try:
        six = ListeningServer(page.parent, server.received, host="::1", port=0)
    except ArgumentError:
        pytest.skip("this machine has no IPv6")
    with six:
        thread = threading.Thread(target=six.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        assert six.address == f"http://[::1]:{six.server_address[1]}/"
        connection = http.client.HTTPConnection("::1", six.server_address[1], timeout=20)
        own = {"Origin": six.address.rstrip("/"), "Content-Type": "application/json"}
        connection.request("POST", "/answers", json.dumps(given(design_folder)), own)
        assert connection.getresponse().status == 201
        connection.close()
        connection.request("GET", "/", headers={"Host": "evil.example"})
        assert connection.getresponse().status == 421
        connection.close()
        six.shutdown()
        thread.join()


def test_what_cannot_be_listened_on_is_an_argument_error(server, page):
    with pytest.raises(ArgumentError, match="cannot be listened on"):
        ListeningServer(page.parent, server.received, port=server.server_address[1])
    with pytest.raises(ArgumentError, match="cannot be listened on"):
        ListeningServer(page.parent, server.received, port=99999)
    with pytest.raises(ArgumentError, match="holds no page"):
        ListeningServer(page.parent / "sounds", server.received, port=0)
    with pytest.raises(ArgumentError, match="An origin is such as"):
        ListeningServer(page.parent, server.received, port=0, origins=["example.org/x"])
