"""Reads a page of the documentation: its fenced blocks, what comments in front of them say, its code spans, links and headings.

Comments that a reader does not see steer the test; each is about the block behind it:

  <!-- setup           commands that stand for what the reader has already
  COMMANDS -->
  <!-- file NAME -->   the block is the content of this file
  <!-- output of COMMAND -->   the block is what this command prints
  <!-- exit N -->      the last command of the block ends with this status
"""
import re
from dataclasses import dataclass, field

COMMANDS = {"sh", "bash"}
FENCE = re.compile(r"^```(\S*)(.*)$")
COMMENT = re.compile(r"^<!-- *(setup|file|output of|exit)(.*?) *-->\s*$", re.S)


@dataclass
class Block:
    language: str
    text: str
    line: int
    # Comments in front: pairs of word and rest.
    said: list = field(default_factory=list)
    # Nothing but blank lines stands between this block and the one before.
    follows: bool = False

    def of(self, word):
        return next((rest for known, rest in self.said if known == word), None)


@dataclass
class Page:
    name: str
    blocks: list
    # Text outside of blocks, with its line numbers.
    prose: list

    def spans(self):
        """Code in the text, with the line."""
        for number, line in self.prose:
            for found in re.finditer(r"(`+)(.+?)\1", line):
                yield number, found[2].strip()

    def links(self):
        for number, line in self.prose:
            bare = re.sub(r"`[^`]*`", "", line)
            for found in re.finditer(r"\]\(([^)\s]+)\)", bare):
                yield number, found[1]

    def anchors(self):
        """The names that headings have on code hosts."""
        seen = {}
        for _, line in self.prose:
            heading = re.match(r"#+ +(.*)", line)
            if not heading:
                continue
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            count = seen.get(name, 0)
            seen[name] = count + 1
            yield f"{name}-{count}" if count else name


def read(name, path):
    """The page in this file."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    blocks, prose, said = [], [], []
    at, follows = 0, False
    while at < len(lines):
        line = lines[at]
        fence = FENCE.match(line)
        if fence:
            end = next((n for n in range(at + 1, len(lines)) if lines[n].rstrip() == "```"), None)
            if end is None:
                raise SystemExit(f"{name}:{at + 1}: the block has no end")
            text = "\n".join(lines[at + 1:end]) + "\n"
            blocks.append(Block(fence[1], text, at + 1, said, follows))
            said, follows, at = [], True, end + 1
            continue
        if line.startswith("<!--"):
            end = next((n for n in range(at, len(lines)) if "-->" in lines[n]), at)
            found = COMMENT.match("\n".join(lines[at:end + 1]))
            if not found:
                raise SystemExit(f"{name}:{at + 1}: this comment says nothing that the test knows")
            said = said + [(found[1], found[2].strip())]
            at = end + 1
            continue
        if re.match(r"\s+```", line):
            raise SystemExit(f"{name}:{at + 1}: blocks begin at the left margin, or they are not seen")
        if line.strip():
            if said:
                raise SystemExit(f"{name}:{at + 1}: a block should stand behind the comment")
            follows = False
        prose.append((at + 1, line))
        at += 1
    return Page(name, blocks, prose)
