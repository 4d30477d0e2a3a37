"""Chromium without a window, driven through a pipe: no library, no port, no network.

The DevTools protocol as JSON documents that end in NUL, on file descriptors 3 and 4 of
the browser (``--remote-debugging-pipe``).
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time

SECONDS = 60
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found():
    """Return where a browser is, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab of a browser of its own."""

    def __init__(self, program, folder):
        theirs, self.commands = os.pipe()
        self.answers, ours = os.pipe()
        self.number, self.waiting, self.events = 0, b"", []
        # A shell gives the pipes the numbers that the browser looks for.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" 3</dev/fd/{theirs} 4>/dev/fd/{ours}', program,
             "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--remote-debugging-pipe", f"--user-data-dir={folder}",
             "about:blank"],
            pass_fds=(theirs, ours), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in (theirs, ours):
            os.close(end)
        self.session = None
        try:
            self.attach()
        except BaseException:
            self.process.kill()
            self.process.wait(SECONDS)
            raise

    def attach(self):
        """Take hold of the one tab."""
        tabs = self.ask("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in tabs if each["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=tab, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        """Return the browser's answer to one command."""
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            said = self.read()
            if said.get("id") == self.number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                return said["result"]
            self.events.append(said)

    def read(self):
        """Return the next document from the browser."""
        end = time.monotonic() + SECONDS
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.answers], [], [], end - time.monotonic())
            piece = os.read(self.answers, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser does not answer")
            self.waiting += piece
        said, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(said)

    def wait(self, method):
        """Return the parameters of an event that has come, or will."""
        while True:
            for said in self.events:
                if said.get("method") == method:
                    self.events.remove(said)
                    return said["params"]
            self.events.append(self.read())

    def open(self, path):
        """Open a file, and forget what happened before."""
        self.events.clear()
        self.ask("Page.navigate", url=path.absolute().as_uri())
        self.wait("Page.loadEventFired")

    def run(self, script):
        """Return the value of an expression in the page, or of its promise."""
        said = self.ask("Runtime.evaluate", expression=script, returnByValue=True,
                        awaitPromise=True)  # fmt: skip
        if "exceptionDetails" in said:
            raise RuntimeError(said["exceptionDetails"])
        return said["result"].get("value")

    def press(self, key, times=1):
        """Press a key."""
        code = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9,
                "Enter": 13}[key]  # fmt: skip
        words = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        if key == "Enter":
            words["text"] = "\r"
        for _ in range(times):
            self.ask("Input.dispatchKeyEvent", type="keyDown", **words)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **words)

    def resize(self, width, height=900, scale=1):
        """Make the window so wide."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=scale, mobile=width < 600)  # fmt: skip

    def colours(self, scheme):
        """Prefer a light or a dark page."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])

    def picture(self, path, whole=True):
        """Keep a picture of the page."""
        said = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(said["data"]))

    @property
    def complaints(self):
        """What the page said went wrong since it was opened."""
        self.run("0")
        bad = []
        for said in self.events:
            method, what = said.get("method"), said.get("params", {})
            if method == "Runtime.exceptionThrown":
                bad.append(what["exceptionDetails"]["text"])
            if method == "Runtime.consoleAPICalled" and what["type"] == "error":
                bad.append(str(what["args"]))
            if method == "Log.entryAdded" and what["entry"]["level"] == "error":
                bad.append(what["entry"]["text"])
        return bad

    @property
    def requests(self):
        """What was asked of anybody since the page was opened."""
        self.run("0")
        return [
            said["params"]["request"]["url"]
            for said in self.events
            if said.get("method") == "Network.requestWillBeSent"
        ]

    def close(self):
        """End the browser."""
        try:
            self.session = None
            self.ask("Browser.close")
        except (TimeoutError, OSError, RuntimeError):
            self.process.kill()
        self.process.wait(SECONDS)
        for end in (self.commands, self.answers):
            os.close(end)
