"""A real browser without a window, driven through the pipe of its DevTools protocol: nothing to install but itself."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60


def find_browser() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page of one browser. Sounds may be played after a gesture of the user only, as for everybody."""

    def __init__(self, program: str, folder: Path, width: int = 1250, height: int = 1400) -> None:
        flags = [
            "--headless",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
            "--no-first-run",
            "--disable-gpu",
        ]
        flags += ["--mute-audio", f"--window-size={width},{height}", "about:blank"]
        if os.geteuid() == 0:
            flags.insert(0, "--no-sandbox")
        read, self._write = (_high(end) for end in os.pipe())
        self._read, write = (_high(end) for end in os.pipe())
        # The browser reads commands from descriptor 3 and writes answers to 4.
        start = f"import os, sys; os.dup2({read}, 3); os.dup2({write}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", start, program, *flags]
        log = (folder / "browser.log").open("wb")
        self._process = subprocess.Popen(command, pass_fds=(read, write), stdout=log, stderr=log)
        for end in (read, write):
            os.close(end)
        log.close()
        self._buffer, self._number, self._session = b"", 0, None
        self._touches = False
        self.events: list[dict] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._write, self._read):
            os.close(end)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def call(self, method: str, **parameters: object) -> dict:
        number = self._send(method, parameters)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":
                # Nothing else is answered before this is.
                self._send("Page.handleJavaScriptDialog", {"accept": True})

    def _send(self, method: str, parameters: dict[str, object]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self) -> dict:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            assert select.select([self._read], [], [], max(0, until - time.monotonic()))[0], (
                "the browser does not answer"
            )
            received = os.read(self._read, 1 << 20)
            assert received, "the browser has ended"
            self._buffer += received
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path | str, query: str = "") -> None:
        """Open a file, or an address."""
        url = page if isinstance(page, str) else page.resolve().as_uri()
        self.call("Page.navigate", url=url + query)
        self.wait_for("document.readyState === 'complete'")

    @contextmanager
    def other_window(self, page: Path | str, query: str = "") -> Iterator[None]:
        """Open a page in another window of the same browser, to which everything goes until it is closed."""
        first, self._session = self._session, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.open(page, query)
        yield
        self._session = None
        self.call("Target.closeTarget", targetId=target)
        self._session = first

    def reload(self) -> None:
        """Load the page again, and say yes where it asks whether it may be left."""
        self.call("Runtime.evaluate", expression="window.beforeReload = true")
        self.call("Page.reload")
        self.wait_for("window.beforeReload === undefined && document.readyState === 'complete'")

    def emulate_phone(self, width: int = 390, height: int = 844) -> None:
        """Be a telephone: its width in CSS pixels, and a finger in place of a mouse."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=True)
        self.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)
        self._touches = True

    def download_to(self, folder: Path) -> None:
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def set_offline(self, offline: bool) -> None:
        self.call("Network.enable")
        speeds = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.call("Network.emulateNetworkConditions", offline=offline, **speeds)

    def evaluate(self, expression: str) -> object:
        """What an expression gives; promises are waited for. It is no gesture of the user."""
        given = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in given, given["exceptionDetails"]
        return given["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while not self._holds(condition):
            assert time.monotonic() < until, f"never came true: {condition}; {self.complaints()}"
            time.sleep(0.05)

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(condition))
        except AssertionError as problem:
            # A page that is being left has nothing to say.
            if any(sign in str(problem) for sign in ("context", "navigated")):
                return False
            raise

    def press(self, key: str, code: str, number: int) -> None:
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            pressed = {"key": key, "code": code, "windowsVirtualKeyCode": number}
            self.call("Input.dispatchKeyEvent", type=kind, **pressed, **(text if kind == "keyDown" else {}))

    def click(self, element: str) -> None:
        """Click, or tap, into the middle of what a JavaScript expression gives."""
        box = self.evaluate(
            f"(() => {{ const element = {element}; element.scrollIntoView({{block: 'nearest'}});"
            " const box = element.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        if self._touches:
            self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[box])
            self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            return
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **box, button="left", clickCount=1)

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def dialogs(self) -> list[str]:
        """Which dialogs the page has opened so far: "beforeunload" asks whether it may be left."""
        self.evaluate("1")
        opened = [event["params"] for event in self.events if event.get("method") == "Page.javascriptDialogOpening"]
        return [given["type"] for given in opened]

    def complaints(self) -> list[str]:
        """What went wrong in the page: errors of its script, of the console and of files that were not found."""
        self.evaluate("1")  # what happened before is here now
        found = []
        for event in self.events:
            given = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(given["exceptionDetails"]))
            if event.get("method") == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning", "assert"):
                found.append(str(given["args"]))
            if event.get("method") == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
                found.append(str(given["entry"]))
        return found


def _high(descriptor: int) -> int:
    """Move a descriptor above those that the browser is given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 20)
    os.close(descriptor)
    return moved
