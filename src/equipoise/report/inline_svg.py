"""Put an SVG into an HTML page without its ids and styles leaking out."""

from __future__ import annotations

import re

_HEAD = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", re.DOTALL)
_SIZE = re.compile(r'(<svg\b[^>]*?)\s+width="[^"]*"')
_HEIGHT = re.compile(r'(<svg\b[^>]*?)\s+height="[^"]*"')
_PATH = re.compile(r'\bd="[^"]*"')
_DIGITS = re.compile(r"(?<=\.\d\d)\d+")


def inline_svg(svg: str, prefix: str) -> str:
    """The <svg> element of a file of its own, ready for a page.

    Parameters
    ----------
    prefix
        Put before every id, so that several figures can share a page.

    Examples
    --------
    >>> inline_svg('<?xml?><svg width="9" viewBox="0 0 9 9"><g id="a"/></svg>', "f")
    '<svg viewBox="0 0 9 9"><g id="f-a"/></svg>'
    """
    body = _HEAD.sub("", svg, count=1)
    for unwanted in (_METADATA, _STYLE):
        body = unwanted.sub("", body)
    body = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", body, count=1), count=1)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'\bhref="#', f'href="#{prefix}-', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    # A hundredth of a point is enough for a line; texts keep their digits.
    return _PATH.sub(lambda path: _DIGITS.sub("", path[0]), body).strip()
