#!/usr/bin/env python3
"""Runs every command of the documentation against a binary, compares what pages show with what it prints, follows their links.

  conformance/docs/check.py GAVEL [PAGE...]

Each page is run from top to bottom in a folder of its own, with the files of conformance/docs/files in it. A command that cannot
run beside a test is printed with the reason, and looked at as far as it can be (elsewhere.py). Ends with 1 if anything did not hold.
Needs bash, curl, jq and openssl.
"""
import glob, os, shutil, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The checkout stays as it is.
sys.dont_write_bytecode = True
import elsewhere, facts, page, shell
from checks import ROOT

HERE = f"{ROOT}/conformance/docs"


class Report:
    """Counts what held and prints what did not."""

    def __init__(self, known):
        self.held, self.failed, self.skipped = 0, 0, 0
        # The flags of each verb.
        self.known = known

    def holds(self, count=1):
        self.held += count

    def fails(self, place, why):
        self.failed += 1
        print(f"FAIL {place}: {why}", flush=True)

    def skips(self, place, command, why):
        self.skipped += 1
        print(f"skip {place}: {command.splitlines()[0][:90]}: {why}", flush=True)


def names():
    """Every page of the checkout."""
    places = ("*.md", "docs/*.md", "deploy/*.md", "examples/**/*.md", "benches/**/*.md", "conformance/**/*.md")
    return sorted(name for place in places for name in glob.glob(place, root_dir=ROOT, recursive=True))


def split(commands, place, report):
    """Runs of commands between servers: lists of commands, or a server's command; what is run elsewhere is left out."""
    parts = []
    for command in commands:
        if shell.SERVE.match(command):
            parts.append(command)
            continue
        command = elsewhere.built(command)
        if not_here := elsewhere.rule(command):
            why, wrong = not_here
            unknown = facts.flags_in(command.partition(" serve ")[2]) - set(report.known["serve"])
            wrong = f"gavel serve has no {' '.join(sorted(unknown))}" if unknown else wrong
            report.fails(place, f"{command}: {wrong}") if wrong else report.skips(place, command, why)
            continue
        if not parts or isinstance(parts[-1], str):
            parts.append([])
        parts[-1].append(command)
    return parts


def run_block(block, here, place, report):
    """Runs one block of commands; what it printed."""
    printed = ""
    parts = split(shell.statements(block.text), place, report)
    for part in parts:
        if isinstance(part, str):
            here.serve(part)
        else:
            printed += here.run(part, int(block.of("exit") or 0) if part is parts[-1] else 0)
        report.holds(1 if isinstance(part, str) else len(part))
    return printed if parts else None


def run_page(found, binary, report):
    """Runs a page's blocks in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="gavel-docs-") as folder:
        here = shell.Shell(binary, folder, f"{HERE}/files")
        printed = None
        try:
            for block in found.blocks:
                place = f"{found.name}:{block.line}"
                try:
                    printed = step(block, here, place, report, printed)
                except shell.Failed as failed:
                    printed = None
                    report.fails(place, failed)
            here.end_servers()
        except shell.Failed as failed:
            report.fails(found.name, failed)
        finally:
            here.close()


def step(block, here, place, report, printed):
    """One block: files are written, commands run, what a page shows of their output is compared."""
    for word, rest in block.said:
        if word == "setup":
            for part in split(shell.statements(rest), place, report):
                here.serve(part) if isinstance(part, str) else here.run(part)
    if name := block.of("file"):
        target = here.translated(name) if name.startswith("/") else f"{here.folder}/{name}"
        with open(target, "w", encoding="utf-8") as file:
            file.write(here.translated(block.text))
    if block.language in page.COMMANDS:
        return run_block(block, here, place, report)
    got = None
    if command := block.of("output of"):
        got = here.run([command], int(block.of("exit") or 0))
    elif block.follows and not block.said and block.language in ("json", "text"):
        got = printed
    if got is not None:
        if shell.agrees(block.text, got):
            report.holds()
        else:
            report.fails(place, f"the page shows\n{block.text}but it is\n{got}")
    return None


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    binary = os.path.abspath(sys.argv[1])
    missing = [tool for tool in ("bash", "curl", "jq", "openssl") if not shutil.which(tool)]
    if missing:
        print(f"needs {' '.join(missing)}")
        return 2
    began, known = time.monotonic(), facts.helps(binary)
    report = Report(known)
    pages = {name: page.read(name, f"{ROOT}/{name}") for name in names()}
    wanted = sys.argv[2:] or list(pages)
    if unknown := set(wanted) - set(pages):
        print(f"no pages of the checkout: {' '.join(sorted(unknown))}")
        return 2
    for place, wrong in facts.examples(binary, known):
        report.fails(place, wrong)
    for name in wanted:
        found = pages[name]
        for line, wrong in [*facts.links(found, pages), *facts.spans(found, known)]:
            report.fails(f"{name}:{line}", wrong)
        if name == "docs/cli.md":
            for line, wrong in facts.table(found, known):
                report.fails(f"{name}:{line}", wrong)
        if any(block.language in page.COMMANDS or block.said for block in found.blocks):
            run_page(found, binary, report)
    print(f"{report.held} commands and outputs held, {report.failed} failed, {report.skipped} skipped, in {time.monotonic() - began:.0f} s")
    return 1 if report.failed else 0


sys.exit(main())
