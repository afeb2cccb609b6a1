"""Runs the commands of one page, from top to bottom, in a folder that looks like a checkout and a machine of the page's own.

Ports become free ones, files below /etc/gavel, /run/gavel, /var/lib/gavel, /var/cache/gavel and where programs and units are
installed those of the folder, and what is printed is translated back. `gavel serve` runs beside the others until the page starts another one, or ends.
"""
import functools, http.server, json, os, re, shlex, shutil, signal, subprocess, threading, time

from checks import ROOT, free_port

SERVE = re.compile(r"(?:gavel|cargo run --release --) (?:--\S+ )*serve\b")
MACHINE = re.compile(r"(?<![\w./-])/(etc/gavel|run/gavel|var/lib/gavel|var/cache/gavel|usr/bin/gavel|etc/systemd/system)\b")
PORT = re.compile(r"((?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::\]):|--(?:port|admin|envoy-port)[ =](?:[\w.:\[\]]+:)?)(\d{4,5})\b")
# A host that pages name where policies come from: a small server of the test, over what lies in the page's folder.
SOURCE = "https://policies.example"
# What a page's commands find on the machine of their reader: the right to install, zsh's list of places for completions, and as much
# of PowerShell as takes a script of completions.
READER = r"""sudo() { "$@"; }
fpath=("" "$HOME/.zsh")
Out-String() { cat; }
Invoke-Expression() { local text; text="$(cat)"; [[ $text == *Register-ArgumentCompleter* ]]; }
"""
START_SECONDS = 30
END_SECONDS = 40


class Failed(Exception):
    """A command did not do what the page says."""


def statements(text):
    """The block's commands, each as it stands."""
    found, held = [], ""
    for line in text.split("\n"):
        if not held and (not line.strip() or line.startswith("#")):
            continue
        held += line + "\n"
        if line.endswith("\\"):
            continue
        read = subprocess.run(["bash", "-n", "-c", held], capture_output=True, text=True)
        if read.returncode == 0 and not read.stderr:
            found.append(held.strip())
            held = ""
    if held.strip():
        raise Failed(f"the shell does not understand: {held.strip()}")
    return found


class Server:
    """A `gavel serve` of a page."""

    def __init__(self, words, folder, environment, number):
        self.words, self.log = words, f"{folder}/.serve-{number}.log"
        with open(self.log, "wb") as log, open(f"{folder}/.serve-{number}.jsonl", "wb") as records:
            self.process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=records, stderr=log)

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def started(self):
        end = time.monotonic() + START_SECONDS
        while "reachable: " not in self.said():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise Failed(f"{' '.join(self.words)}\ndoes not start:\n{self.said()[-2000:]}")
            time.sleep(0.01)
        return self

    def end(self):
        """Ends it in the ordinary way."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if status != 0:
            raise Failed(f"{' '.join(self.words)}\nended with {status}:\n{self.said()[-2000:]}")


class Files(http.server.SimpleHTTPRequestHandler):
    """The page's folder over HTTP, without a log."""

    def log_message(self, *_):
        pass


class Shell:
    """One page's folder and what runs in it."""

    def __init__(self, binary, folder, fixtures):
        self.folder, self.ports, self.servers, self.web = folder, {}, [], None
        shutil.copytree(fixtures, folder, dirs_exist_ok=True)
        for name in ("examples", "deploy", "docs", "conformance", "benches", "compiler"):
            os.symlink(f"{ROOT}/{name}", f"{folder}/{name}")
        for name in ("home/.config/fish/completions", "home/.zsh", "bin", "target/release", "etc/gavel", "run/gavel", "var/lib/gavel", "var/cache/gavel"):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
        for place in ("bin", "target/release"):
            os.symlink(binary, f"{folder}/{place}/gavel")
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "TZ") if name in os.environ}
        self.environment = {**kept, "PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": f"{folder}/home", "TERM": "dumb"}

    def translated(self, text):
        """The command with the folder's files and free ports in it."""
        text = MACHINE.sub(lambda found: f"{self.folder}/{found[1]}", text)

        def own(found):
            place = found[1].replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "127.0.0.1:")
            return place + str(self.ports.setdefault(found[2], free_port()))

        text = PORT.sub(own, text)
        return text.replace(SOURCE, f"http://127.0.0.1:{self.source_port()}") if SOURCE in text else text

    def as_written(self, text):
        """What was printed, with the page's names."""
        for known, own in self.ports.items():
            text = text.replace(f":{own}", f":{known}")
        return text.replace(f"{self.folder}/", "/")

    def source_port(self):
        if not self.web:
            handler = functools.partial(Files, directory=self.folder)
            self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=self.web.serve_forever, daemon=True).start()
        return self.web.server_address[1]

    def serve(self, command):
        words = shlex.split(self.translated(command), comments=True)
        words = ["gavel", *words[words.index("--") + 1:]] if words[0] == "cargo" else words
        words[0] = f"{self.folder}/bin/gavel"
        has = {word.split("=")[0] for word in words}
        # What the page leaves to the default: port 9000 of all interfaces.
        on_tcp = "--port" in has or not has & {"--listen", "--envoy-socket"}
        if on_tcp and "--port" not in has:
            words += ["--port", str(self.ports.setdefault("9000", free_port()))]
        if on_tcp and not has & {"--host", "--listen"}:
            words += ["--host", "127.0.0.1"]
        self.end_servers()
        self.servers.append(Server(words, self.folder, self.environment, len(os.listdir(self.folder))).started())

    def end_servers(self):
        while self.servers:
            self.servers.pop().end()

    def run(self, commands, status=0):
        """Runs them as one script; what they print, as the page has it."""
        script = self.translated("\n".join(commands))
        try:
            done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", READER + script], cwd=self.folder, env=self.environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            raise Failed(f"has no end:\n{script}") from None
        if done.returncode != status:
            raise Failed(f"{script}\nended with {done.returncode} instead of {status}:\n{(done.stdout + done.stderr)[-2000:]}")
        return self.as_written(done.stdout)

    def close(self):
        """Ends what still runs, whatever became of the page."""
        for server in self.servers:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
        if self.web:
            self.web.shutdown()
            self.web.server_close()


def agrees(want, got):
    """Whether this is what the page shows, where `…` is anything."""
    try:
        return alike(json.loads(want), json.loads(got))
    except ValueError:
        pass
    pattern = ""
    for line in want.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + "\n"
    tidy = "\n".join(line.rstrip() for line in got.rstrip("\n").split("\n")) + "\n"
    return re.fullmatch(pattern, tidy) is not None


def alike(want, got):
    if isinstance(want, str) and isinstance(got, str) and "…" in want:
        return re.fullmatch(".*".join(re.escape(part) for part in want.split("…")), got, re.S) is not None
    if want == "…":
        return True
    if isinstance(want, dict) and isinstance(got, dict):
        return want.keys() == got.keys() and all(alike(value, got[key]) for key, value in want.items())
    if isinstance(want, list) and isinstance(got, list):
        return len(want) == len(got) and all(alike(one, other) for one, other in zip(want, got))
    return type(want) is type(got) and want == got
