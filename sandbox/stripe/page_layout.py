"""The frame of every hosted page: plain HTML that works on a phone, by keyboard, with a screen reader, and without JavaScript."""

from collections.abc import Iterable
from html import escape

from aiohttp import web

STYLE = """
:root{color-scheme:light;font:17px/1.5 system-ui,sans-serif}body{margin:0;background:#f4f5f7;color:#16181d}
main{max-width:28rem;margin:0 auto;padding:1.5rem 1rem 3rem}header{background:#fff3cd;color:#4d3b00;padding:.5rem 1rem;text-align:center}
h1{font-size:1.35rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}.total{font-size:1.8rem;font-weight:700;margin:.25rem 0 1rem}
form,section{background:#fff;border:1px solid #d5d8de;border-radius:.6rem;padding:1rem;margin:0 0 1rem}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}.hint{color:#4b5160;font-size:.9rem;margin:.25rem 0}
input{box-sizing:border-box;width:100%;font:inherit;padding:.6rem;border:1px solid #767c8a;border-radius:.4rem}
button{font:inherit;font-weight:600;width:100%;min-height:2.9rem;margin-top:1rem;border:0;border-radius:.4rem;background:#3d3ab8;color:#fff}
button.quiet{background:#fff;color:#3d3ab8;border:1px solid #3d3ab8}:focus-visible{outline:3px solid #f0a500;outline-offset:2px}
form>:first-child,form>[type=hidden]+*,section>:first-child{margin-top:0}section>:last-child{margin-bottom:0}
.error{background:#fdecec;border:1px solid #b3261e;color:#7a1510;border-radius:.4rem;padding:.75rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:1fr auto;gap:.25rem 1rem;margin:0}dd{margin:0;text-align:right}a{color:#2c2a96}
"""


HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def page(title: str, parts: Iterable[str], *, status: int = 200, error: str | None = None) -> web.Response:
    """Render a page; ``title`` and ``error`` are escaped here, ``parts`` are HTML."""
    return web.Response(text=_render(title, parts, error), content_type="text/html", status=status, headers=HEADERS)


def no_page(title: str, said: str) -> web.HTTPNotFound:
    """Return the answer, to be raised, for a page that is not there; ``said`` tells what to do next."""
    return web.HTTPNotFound(text=_render(title, (f"<p>{escape(said)}</p>",), None), content_type="text/html", headers=HEADERS)


def _render(title: str, parts: Iterable[str], error: str | None) -> str:
    alert = f'<p class="error" role="alert" id="error">{escape(error)}</p>' if error else ""
    named = f"Error: {title}" if error else title
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(named)}</title><style>{STYLE}</style></head><body>"
        "<header>Sandbox: no real money moves here.</header>"
        f"<main><h1>{escape(title)}</h1>{alert}{''.join(parts)}</main></body></html>"
    )


def field(name: str, label: str, value: str = "", *, hint: str = "", **attributes: str) -> str:
    """Render a labelled input."""
    extra = "".join(f' {escape(key)}="{escape(content)}"' for key, content in attributes.items())
    described = f' aria-describedby="{name}-hint"' if hint else ""
    note = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    return f'<label for="{name}">{escape(label)}</label>{note}<input id="{name}" name="{name}" value="{escape(value)}"{extra}{described}>'


def button(label: str, name: str = "", value: str = "", *, quiet: bool = False) -> str:
    """Render a submit button."""
    sent = f' name="{escape(name)}" value="{escape(value)}"' if name else ""
    return f'<button type="submit"{sent}{" class=quiet" if quiet else ""}>{escape(label)}</button>'


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """Render names and values side by side."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs) + "</dl>"


def link(href: str, label: str) -> str:
    """Render a link; anything but http and https becomes plain text."""
    if not href.startswith(("http://", "https://", "/")):
        return escape(label)
    return f'<a href="{escape(href)}">{escape(label)}</a>'
