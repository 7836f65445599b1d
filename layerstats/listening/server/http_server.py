"""A small server: the page and its sounds, and a place to hand answers in."""

from __future__ import annotations

import io
import ipaddress
import json
import re
import socket
import threading
import time
from collections.abc import Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from layerstats.errors import ArgumentError, DataError, FileError
from layerstats.listening.page import PageLinks
from layerstats.listening.page.write import FOLDER_OF_SOUNDS, PLAYABLE
from layerstats.listening.server.received import AnswersConflictError, ReceivedAnswers

ANSWERS, SESSION = "answers", "session"
MOST_BYTES = 2_000_000
# Waiting for a part of a request, and for the whole of it.
PATIENCE_S, REQUEST_S = 30, 120
# Sounds are sent in parts, so that a slow connection has patience for each.
PART_BYTES = 65536
MOST_CONNECTIONS = 500
_KINDS = {".html": "text/html; charset=utf-8", **PLAYABLE}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class ListeningServer(ThreadingHTTPServer):
    """Serve a page, and receive answers.

    Only files that are in the page's folder when it starts are served. `POST /answers` takes what the page hands out,
    `GET /session?rater=` says which session a rater does.

    Parameters
    ----------
    page_folder : path
        What `write_page` wrote, with ``PageLinks(post_to="answers", assign_from="session")``.
    received : ReceivedAnswers
        Where answers are kept.
    host, port
        Where it listens: this machine alone by default; port 0 takes any that is free.
    origins : collection of str
        What else pages may be loaded from that send answers here, such as "https://example.org" of a proxy before it.
    completion_code, completion_url : str, optional
        What whoever handed answers in is shown, and nobody else; the code that the page drew by default.
    most_bytes : int
        Posts that are longer are refused without being read.

    Raises
    ------
    ArgumentError
        The host or port cannot be listened on.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from layerstats.listening import make_design
    >>> table = pd.DataFrame({"clip": ["n", "m"], "file": ["n.wav", "m.wav"], "condition": ["natural", "maximized"]})
    >>> design = make_design(table, raters_per_clip=2, trials_per_session=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "index.html").write_text("the page")
    ...     received = ReceivedAnswers(f"{folder}/answers", design)
    ...     with ListeningServer(folder, received, port=0) as server:
    ...         server.loopback
    True
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        page_folder: str | Path,
        received: ReceivedAnswers,
        *,
        host: str = "127.0.0.1",
        port: int = 8080,
        origins: Collection[str] = (),
        completion_code: str | None = None,
        completion_url: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.files = _served(Path(page_folder))
        self.received = received
        # Checked as those of a page are.
        self.thanks = PageLinks(completion_code=completion_code, completion_url=completion_url)
        self.most_bytes = most_bytes
        self.origins = {_origin(each) for each in origins}
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ArgumentError(
                f"{host}:{port} cannot be listened on ({reason}). Choose another --port or --host."
            ) from None
        self.listens_at = str(self.server_address[0])
        self.loopback = ipaddress.ip_address(self.listens_at).is_loopback

    @property
    def address(self) -> str:
        """Where the page is, as a browser on this machine takes it."""
        return f"http://{self.host_in_addresses}:{self.server_address[1]}/"

    @property
    def host_in_addresses(self) -> str:
        """The host as addresses have it, IPv6 in brackets."""
        return f"[{self.listens_at}]" if ":" in self.listens_at else self.listens_at

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection, unless there are too many: these are closed at once."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and let another in when it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out connections that break off: nothing is printed, and nothing is half written."""


def _served(folder: Path) -> dict[str, Path]:
    """Return the files of the page by their paths: what is not among them is never opened."""
    found = {f"/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
    if "/index.html" not in found:
        raise ArgumentError(f"{folder} holds no page: write one with `layerstats listen page`.")
    return {"/": found["/index.html"], **found}


def _origin(address: str) -> str:
    split = urlsplit(address)
    if split.scheme not in ("http", "https") or not split.netloc or split.path.strip("/"):
        raise ArgumentError(f"An origin is such as https://example.org, but got {address!r}.")
    return f"{split.scheme}://{split.netloc}".lower()


class _Incoming(io.RawIOBase):
    """What a connection sends, as long as one request may take: who sends a byte now and then keeps no place."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.until = connection, time.monotonic() + REQUEST_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.connection.settimeout(min(PATIENCE_S, max(0.001, self.until - time.monotonic())))
        return self.connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: ListeningServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "layerstats", ""
    timeout = PATIENCE_S

    def setup(self) -> None:
        super().setup()
        self._incoming = _Incoming(self.connection)
        self.rfile = io.BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        self._incoming.until = time.monotonic() + REQUEST_S
        super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: who came is nobody's business."""

    def do_GET(self) -> None:
        if not self._is_for_us():
            return
        split = urlsplit(self.path)
        if split.path == f"/{SESSION}":
            raters = parse_qs(split.query).get("rater", [])
            if len(raters) != 1 or not 0 < len(raters[0]) <= 300:
                self._say(HTTPStatus.BAD_REQUEST, "Say which rater, once.")
                return
            try:
                session, done = self.server.received.session_for(raters[0])
                self._send_json(HTTPStatus.OK, {"session": session, "done": done})
            except DataError as error:
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            return
        file = self.server.files.get(unquote(split.path))
        if file is None:
            self._say(HTTPStatus.NOT_FOUND, "There is no such file.")
            return
        self._send_file(file)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self._is_for_us():
            return
        length = self._length_to_read()
        if length is None:
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self._say(HTTPStatus.BAD_REQUEST, "The post broke off.")
            return
        try:
            submission, new = self.server.received.keep(body)
        except AnswersConflictError as error:
            self._say(HTTPStatus.CONFLICT, str(error))
        except DataError as error:
            self._say(HTTPStatus.BAD_REQUEST, str(error))
        except FileError:
            self._say(HTTPStatus.INSUFFICIENT_STORAGE, "The answers could not be kept. Please try again later.")
        else:
            thanks = self.server.thanks
            code, url = thanks.completion_code or submission.completion_code, thanks.completion_url
            told = {"completion_code": code, "completion_url": url}
            self._send_json(HTTPStatus.CREATED if new else HTTPStatus.OK, told)

    def _length_to_read(self) -> int | None:
        """Return how many bytes to read of a post that may be read; else say why not, and read nothing."""
        origin = self.headers.get("Origin")
        lengths = self.headers.get_all("Content-Length", [])
        if urlsplit(self.path).path != f"/{ANSWERS}":
            problem = HTTPStatus.NOT_FOUND, "Answers are posted to /answers."
        elif origin is not None and origin.lower() not in {*self.server.origins, self._own_origin()}:
            problem = HTTPStatus.FORBIDDEN, "Answers are taken from this server's own page only (--origin)."
        elif self.headers.get_content_type() != "application/json":
            problem = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Answers are posted as application/json."
        elif "Transfer-Encoding" in self.headers or len(lengths) != 1:
            problem = HTTPStatus.LENGTH_REQUIRED, "Say how long the post is, once."
        elif not (lengths[0].isascii() and lengths[0].isdecimal()):
            problem = HTTPStatus.BAD_REQUEST, "The length of the post is no number."
        elif len(lengths[0]) > 15 or int(lengths[0]) > self.server.most_bytes:
            problem = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {self.server.most_bytes} bytes are taken."
        else:
            return int(lengths[0])
        self._say(*problem)
        return None

    def _own_origin(self) -> str:
        return f"http://{self.headers.get('Host', '')}".lower()

    def _is_for_us(self) -> bool:
        """Refuse requests under a name that is not this machine's: pages elsewhere may point a name here."""
        host = (self.headers.get("Host") or "").lower()
        port = self.server.server_address[1]
        own = ("localhost", self.server.host_in_addresses)
        names = {f"{name}:{port}" for name in own} | (set(own) if port == 80 else set())
        known = {*names, *(urlsplit(each).netloc for each in self.server.origins)}
        if not self.server.loopback or host in known:
            return True
        self._say(HTTPStatus.MISDIRECTED_REQUEST, "This server is known under another name.")
        return False

    def _send_file(self, file: Path) -> None:
        kind = _KINDS.get(file.suffix, "application/octet-stream")
        try:
            content = file.read_bytes()
        except OSError:
            self._say(HTTPStatus.NOT_FOUND, "There is no such file.")
            return
        # Some browsers play sounds only from servers that give parts of them.
        # Sounds have names by their content: the browser may keep what it has fetched ahead.
        sound = file.parent.name == FOLDER_OF_SOUNDS
        kept = {"Accept-Ranges": "bytes", "Cache-Control": "private, max-age=86400" if sound else "no-store"}
        part = _part(self.headers.get("Range"), len(content))
        if part is None:
            self._send(HTTPStatus.OK, content, kind, kept)
        elif not part:
            self._send(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", kind, {"Content-Range": f"bytes */{len(content)}"}
            )
        else:
            where = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
            self._send(
                HTTPStatus.PARTIAL_CONTENT, content[part.start : part.stop], kind, {**kept, "Content-Range": where}
            )

    def _send_json(self, status: HTTPStatus, given: dict[str, object]) -> None:
        self._send(status, json.dumps(given).encode(), "application/json", {})

    def _say(self, status: HTTPStatus, message: str) -> None:
        # What was not read of a refused post must not be taken for the next request.
        self.close_connection = True
        self._send(status, message.encode("utf-8", "replace"), "text/plain; charset=utf-8", {"Connection": "close"})

    def _send(self, status: HTTPStatus, content: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        common = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in {**common, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.connection.settimeout(PATIENCE_S)
        for start in range(0, len(content) if self.command != "HEAD" else 0, PART_BYTES):
            self.wfile.write(content[start : start + PART_BYTES])


def _part(asked: str | None, length: int) -> range | None:
    """Return the bytes that a Range header asks for: None for all of them, empty where there are none.

    Examples
    --------
    >>> _part("bytes=2-", 10), _part("bytes=-3", 10), _part("bytes=20-", 10), _part(None, 10)
    (range(2, 10), range(7, 10), range(0, 0), None)
    """
    found = _RANGE.fullmatch(asked) if asked else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = (part[:15] for part in found.groups())
    if not first:
        return range(max(0, length - int(last)), length)
    stop = min(int(last) + 1, length) if last else length
    return range(int(first), stop) if int(first) < stop else range(0)
