"""Charts as files: SVG and PNG without a browser, and pages that need no network.

altair and vl-convert are imported when a chart is asked for, so that everything else runs
without them.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ranking.errors import PlotError
from ranking.outputs import check_writable, write_bytes

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.LayerChart | alt.HConcatChart

_LARGE = 3_000_000  # pixels
_NEEDED = {"altair": "altair", "vl_convert": "vl-convert-python"}


def check_picture(path: Path) -> None:
    """Whether a chart can be written to `path`, asked before the work that it is to show.

    Raises PlotError for an ending that is none of FORMATS and for libraries that are not
    installed, VoteFileError where no file can be written.
    """
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise PlotError(f"{path}: a chart is one of {known}, told by the end of the file's name.")
    check_writable(path)
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise PlotError(f"a chart needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def save_chart(chart: Chart, path: str | Path) -> None:
    """Write a chart as .svg, .png or .html, whichever the name ends in.

    An SVG carries the chart's description as its text alternative; a page carries the libraries
    that draw it, so that it opens without a network. Raises what `check_picture` raises.
    """
    path = Path(path)
    check_picture(path)
    content = FORMATS[path.suffix.lower()](chart.to_dict(validate=False))
    write_bytes(path, content)


def _svg(spec: dict[str, Any]) -> bytes:
    name, told = html.escape(_heading(spec)), html.escape(spec["description"])
    labelled = f'<svg role="img" aria-label="{name}"'
    opened, end, rest = _drawn(spec).replace("<svg", labelled, 1).partition(">")
    return f"{opened}{end}<title>{name}</title><desc>{told}</desc>{rest}".encode()


def _png(spec: dict[str, Any]) -> bytes:
    """Two pixels to one, but one to one where the picture is large as it is."""
    import vl_convert

    drawn = _drawn(spec)
    width, height = (float(size) for size in re.findall(r'(?:width|height)="([\d.]+)"', drawn)[:2])
    return bytes(vl_convert.svg_to_png(drawn, scale=2.0 if width * height < _LARGE else 1.0))


def _drawn(spec: dict[str, Any]) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, vl_version=_version(), allowed_base_urls=[]))


def _html(spec: dict[str, Any]) -> bytes:
    """A page of its own.

    Names of contestants are a stranger's text: no `<` of theirs may end the script they stand in.
    """
    import vl_convert

    data = json.dumps(spec, ensure_ascii=True).replace("<", "\\u003c")
    # The stub wants a snippet, which the function does not.
    libraries = vl_convert.javascript_bundle(vl_version=_version())  # type: ignore[call-arg]
    background = spec["config"]["background"]
    ink, font = spec["config"]["title"]["subtitleColor"], spec["config"]["font"]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{html.escape(_heading(spec))}</title>
<style>
body {{ margin: 0; background: {background}; color: {ink}; font: 15px/1.5 {font}; }}
figure {{ margin: 0; }}
#chart {{ overflow-x: auto; }}
figcaption {{ max-width: 66ch; padding: 0 24px 24px; }}
</style>
</head>
<body>
<figure>
<div id="chart" role="img" aria-describedby="told"></div>
<figcaption id="told">{html.escape(spec["description"])}</figcaption>
</figure>
<script>{libraries}</script>
<script>
vegaEmbed("#chart", {data}, {{
  mode: "vega-lite", renderer: "svg", actions: false,
}});
</script>
</body>
</html>
""".encode()


def compiled(spec: dict[str, Any]) -> dict[str, Any]:
    """A chart for Vega alone, which a page can draw without Vega-Lite."""
    import vl_convert

    made: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=_version())
    return made


def _heading(spec: dict[str, Any]) -> str:
    text = spec.get("title", {"text": ""})["text"]
    return text if isinstance(text, str) else " ".join(text)


def _version() -> str:
    """Vega-Lite's version of altair's charts, as vl-convert names it."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


FORMATS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".html": _html,
}
