"""Values in shell scripts: each stands in a variable, and the script reads it there, quoted as its place wants it.

Knows how POSIX shells read quotes, comments and here-documents. Where that is misread (backquotes in odd places), a
value may be split into words, but is never read as a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from whimbrel.errors import UserError

PREFIX = "WHIMBREL_VALUE_"
"""Of the variables' names."""

_HEREDOC = re.compile(r"<<(-?)\s*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([\w.]+))")


def fill(script: str, template: re.Pattern[str], value: Callable[[re.Match[str]], str]) -> tuple[str, dict[str, str]]:
    """``script`` with every template read from a variable, and the variables.

    Group 3 of a match says that the value itself goes into the script. Raises ``UserError`` for one in a here-document
    that is quoted, where no variable is read.
    """
    found: list[str] = []
    variables: dict[str, str] = {}
    names: dict[str, str] = {}
    quote = ""
    ending = ("", False)  # of the here-document that we are in: its last line, and whether nothing is read in it
    pending: list[tuple[str, bool]] = []
    at = 0
    while at < len(script):
        match = template.match(script, at)
        if match is not None and (match[3] or script[at - 1 : at] != "$"):
            at = match.end()
            text = value(match)
            if match[3]:
                found.append(text)
                continue
            if ending[1]:
                raise UserError(f"{match[0]} is in a here-document whose end is quoted. Take the quotes away.")
            name = names.setdefault(match[0], f"{PREFIX}{len(names)}")
            variables[name] = text
            read = f"${{{name}}}"
            if quote == "'":
                read = f"'\"{read}\"'"
            elif not quote and not ending[0]:
                read = f'"{read}"'
            found.append(read)
            continue
        character = script[at]
        if ending[0]:
            end = script.find("\n", at) + 1 or len(script)
            line = script[at:end]
            if (at == 0 or script[at - 1] == "\n") and line.strip("\n").lstrip("\t") == ending[0]:
                ending = pending.pop(0) if pending else ("", False)
                found.append(line)
                at = end
                continue
        elif quote:
            if character == "\\" and quote == '"':
                found.append(script[at : at + 2])
                at += 2
                continue
            quote = "" if character == quote else quote
        elif character == "\\":
            found.append(script[at : at + 2])
            at += 2
            continue
        elif character in "'\"":
            quote = character
        elif character == "#" and (at == 0 or script[at - 1].isspace() or script[at - 1] in ";&|("):
            end = script.find("\n", at)
            end = len(script) if end < 0 else end
            # Nothing of a comment is read, whatever stands in it.
            found.append(template.sub("", script[at:end]))
            at = end
            continue
        elif (heredoc := _HEREDOC.match(script, at)) is not None and script[at : at + 3] != "<<<":
            word = heredoc[2] or heredoc[3] or heredoc[4]
            pending.append((word, heredoc[4] is None or "\\" in heredoc[0]))
            found.append(heredoc[0])
            at = heredoc.end()
            continue
        elif character == "\n" and pending:
            ending = pending.pop(0)
        found.append(character)
        at += 1
    return "".join(found), variables
