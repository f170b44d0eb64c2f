"""The pages that people see when they log in: plain HTML, without scripts. Whatever comes from outside is escaped.

Knows: HTML. Must not know: accounts, protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1c2024;"
    "background:#fff}input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.2rem 0 1rem}"
    "button{font:inherit;padding:.5rem 1.2rem;margin-right:.5rem}.wrong{color:#a4262c}code{word-break:break-all}"
    "@media(prefers-color-scheme:dark){body{color:#edeef0;background:#111}.wrong{color:#ff9592}}"
)
_MEANING = {
    "all": "everything that your roles allow",
    "read": "read what is there",
    "launch": "start runs",
    "answer": "end runs and answer gates",
    "register": "register code",
    "admin": "change projects and secrets",
    "offline": "stay logged in",
}


def headers(nonce: str) -> dict[str, str]:
    """What goes with every page: no scripts, no frames, nothing kept. Forms may lead to this machine of theirs."""
    targets = "'self' http://localhost:* http://127.0.0.1:*"
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {targets}; frame-ancestors 'none'"
    return {
        "content-security-policy": f"{policy}; base-uri 'none'",
        "cache-control": "no-store",
        # Not no-referrer: browsers would hide the origin of our own forms.
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def _page(title: str, body: str, nonce: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def consent(
    nonce: str, *, client: str, where: str, scopes: Sequence[str], hidden: Mapping[str, str], wrong: str = ""
) -> str:
    """Asks somebody to log in, and whether the client may have what it asks for."""
    wants = "".join(f"<li>{escape(_MEANING.get(scope, scope))}</li>" for scope in scopes)
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    return _page(
        "Log in to whimbrel",
        f"<p><code>{escape(client)}</code> wants to:</p><ul>{wants}</ul>"
        + f"<p>You will go to <code>{escape(where)}</code>.</p>"
        + _wrong(wrong)
        + f'<form method="post" autocomplete="on">{kept}<label>Name<input name="username" autocomplete="username" '
        'autofocus maxlength="127"></label><label>Password<input name="password" type="password" '
        'autocomplete="current-password" maxlength="1024"></label>'
        '<button name="answer" value="yes">Log in and allow</button>'
        '<button name="answer" value="no">Refuse</button></form>',
        nonce,
    )


def enter_code(nonce: str, *, wrong: str = "") -> str:
    """Asks for the code that a device shows."""
    return _page(
        "Connect a device",
        _wrong(wrong) + '<form method="get"><label>The code that the device shows<input name="user_code" '
        'autocomplete="off" autofocus maxlength="16"></label><button>Go on</button></form>',
        nonce,
    )


def message(nonce: str, title: str, text: str) -> str:
    """Says something."""
    return _page(title, f"<p>{escape(text)}</p>", nonce)


def _wrong(text: str) -> str:
    return f'<p class="wrong" role="alert">{escape(text)}</p>' if text else ""
