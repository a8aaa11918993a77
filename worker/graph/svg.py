"""A plan as an SVG: one file, light, without scripts, fonts or links to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from worker.graph.draw import COLOURS, Box, Drawing, Look, drawn
from worker.graph.layout import Layout, layout
from worker.graph.plan import Plan

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_TEXT, _MUTED, _LINE, _FRAME = "#1e293b", "#5b6778", "#94a3b8", "#dbe2ea"
_TITLE_PX, _BELOW_PX = 14.0, 11.5
# Mean width of a character of such fonts, as a part of the font size; bold is wider.
_BOLD_EM, _PLAIN_EM = 0.64, 0.58
_HEIGHT, _LAYER, _GAP, _MARGIN, _PAD = 46.0, 72.0, 30.0, 20.0, 24.0
_LABEL = 30.0  # room for the graph's name at the top of the frame
_MIN_WIDTH, _MAX_WIDTH = 150.0, 300.0
_NARROW = 24.0  # what a passing edge takes where the picture would grow too wide
_WIDE = 1_000.0
_TEXT_WIDTH = _MAX_WIDTH - 40
_RADIUS = 14.0


def svg(plan: Plan) -> str:
    """The picture of a plan: its topics, its nodes in a frame, and where rejected events go."""
    return picture(drawn(plan))


def picture(drawing: Drawing) -> str:
    """The same of boxes and arrows."""
    return "".join(_Picture(drawing).parts())


class _Picture:
    def __init__(self, drawing: Drawing) -> None:
        self._name = drawing.name
        self._boxes = drawing.boxes
        self._dead = drawing.dead
        widths = {box.key: _width(box) for box in self._boxes}
        common = max(widths[box.key] for box in self._boxes if not _is_topic(box))
        self._widths = {
            box.key: widths[box.key] if _is_topic(box) else common for box in self._boxes
        }
        placed = layout(self._widths, drawing.edges, _GAP, common)
        if _extent(placed) > _WIDE:
            placed = layout(self._widths, drawing.edges, _GAP, _NARROW)
        self._x = {key: x for key, (x, _) in placed.boxes.items()}
        self._rank = {key: rank for key, (_, rank) in placed.boxes.items()}
        self._edges = placed.edges
        self._last = placed.layers - 1
        self._frame()

    def _frame(self) -> None:
        """The frame around the nodes, the place of the dead letters, and the picture's size."""
        inner = [x for way in self._edges.values() for x, rank in way if 0 < rank < self._last]
        nodes = [box.key for box in self._boxes if not _is_topic(box)]
        self._left = min(*inner, *(self._x[k] - self._widths[k] / 2 for k in nodes)) - _PAD
        self._right = max(*inner, *(self._x[k] + self._widths[k] / 2 for k in nodes)) + _PAD
        self._top = self._y(1) - _HEIGHT / 2 - _LABEL
        self._bottom = self._y(self._last - 1) + _HEIGHT / 2 + _PAD
        topics = [box.key for box in self._boxes if _is_topic(box)]
        edge = max(self._x[k] + self._widths[k] / 2 for k in topics if k != "source")
        dead = _width(self._dead)
        self._widths["dead"] = dead
        self._x["dead"] = max(edge + _GAP + dead / 2, self._right + _GAP)
        self._rank["dead"] = self._last
        self._from = min(self._left, *(self._x[k] - self._widths[k] / 2 for k in topics)) - _MARGIN
        self._until = self._x["dead"] + dead / 2 + _MARGIN

    def _y(self, rank: int) -> float:
        """The middle of a layer; the frame's edges lie between the topics and the nodes."""
        return rank * _LAYER + (_LABEL if rank > 0 else 0) + (_PAD if rank == self._last else 0)

    def parts(self) -> Iterator[str]:
        """The document, piece by piece."""
        top = -_HEIGHT / 2 - _MARGIN
        width = self._until - self._from
        height = self._y(self._last) + _HEIGHT / 2 + _MARGIN - top
        name = escape(self._name)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="{self._from:.1f} {top:.1f} {width:.1f} {height:.1f}" '
            f'role="img" aria-label="{name}" font-family="{_FONT}">\n'
            f"<title>{name}</title>\n"
            "<defs>"
        )
        for key, colour in (("arrow", _LINE), ("rejected", COLOURS[Look.DEAD].accent)):
            yield (
                f'<marker id="{key}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
                'markerHeight="7" orient="auto-start-reverse">'
                f'<path d="M0,0.5 L10,5 L0,9.5 z" fill="{colour}"/></marker>'
            )
        yield "</defs>\n"
        yield _rect(self._from, top, width, height, 0, "#ffffff", "none")
        yield _rect(
            self._left, self._top, self._right - self._left, self._bottom - self._top,
            _RADIUS, "#f8fafc", _FRAME,
        )  # fmt: skip
        yield _text(
            self._left + 14, self._top + 20, self._name, 12, _MUTED, weight="600", anchor="start"
        )
        for way in self._edges.values():
            yield self._arrow(way)
        yield self._rejected()
        for box in [*self._boxes, self._dead]:
            yield from self._box(box)
        yield "</svg>\n"

    def _arrow(self, way: Sequence[tuple[float, int]]) -> str:
        """Straight down past boxes, in curves between the layers."""
        (x, rank), *rest = way
        path = f"M{x:.1f},{self._y(rank) + _HEIGHT / 2:.1f}"
        for i, (x2, rank2) in enumerate(rest):
            y1 = self._y(rank) + _HEIGHT / 2
            y2 = self._y(rank2) - _HEIGHT / 2
            middle = (y1 + y2) / 2
            path += f" C{x:.1f},{middle:.1f} {x2:.1f},{middle:.1f} {x2:.1f},{y2:.1f}"
            if i < len(rest) - 1:
                path += f" V{y2 + _HEIGHT:.1f}"
            x, rank = x2, rank2
        return _path(path, _LINE, "arrow")

    def _rejected(self) -> str:
        """From the frame's side down to the dead letters: any node may reject an event."""
        x, y = self._x["dead"], self._bottom - 40
        end = self._y(self._last) - _HEIGHT / 2
        turn = f"Q{x:.1f},{y:.1f} {x:.1f},{y + 16:.1f}"
        path = f"M{self._right:.1f},{y:.1f} H{x - 16:.1f} {turn} V{end:.1f}"
        colour = COLOURS[Look.DEAD].accent
        label = _text(x + 8, y + 22, "rejected", _BELOW_PX, colour, anchor="start")
        return _path(path, colour, "rejected", dashed=True) + label

    def _box(self, box: Box) -> Iterator[str]:
        width, colours = self._widths[box.key], COLOURS[box.look]
        x, y = self._x[box.key], self._y(self._rank[box.key])
        left, top = x - width / 2, y - _HEIGHT / 2
        yield f"<g><title>{escape(box.title)}: {escape(box.below)}</title>"
        radius = _HEIGHT / 2 if _is_topic(box) else 8
        yield _rect(left, top, width, _HEIGHT, radius, colours.fill, colours.border)
        if not _is_topic(box):
            yield _rect(left + 5, top + 8, 3.5, _HEIGHT - 16, 1.75, colours.accent, "none")
        colour = colours.accent if _is_topic(box) else _TEXT
        title = _fitted(box.title, _TITLE_PX * _BOLD_EM)
        yield _text(x, y - 3, title, _TITLE_PX, colour, weight="600")
        below = _fitted(box.below, _BELOW_PX * _PLAIN_EM)
        yield _text(x, y + 14, below, _BELOW_PX, _MUTED)
        yield "</g>\n"


def _is_topic(box: Box) -> bool:
    return box.look in (Look.TOPIC, Look.DEAD)


def _extent(placed: Layout) -> float:
    middles = [x for way in placed.edges.values() for x, _ in way]
    return max(middles) - min(middles)


def _width(box: Box) -> float:
    text = max(len(box.title) * _TITLE_PX * _BOLD_EM, len(box.below) * _BELOW_PX * _PLAIN_EM)
    return min(max(text + 36, _MIN_WIDTH), _MAX_WIDTH)


def _fitted(text: str, character_px: float) -> str:
    """The text, cut to what the widest box holds."""
    most = int(_TEXT_WIDTH / character_px)
    return text if len(text) <= most else text[: most - 1] + "…"


def _rect(
    x: float, y: float, width: float, height: float, radius: float, fill: str, border: str
) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius:g}" fill="{fill}" stroke="{border}"/>\n'
    )


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    colour: str,
    *,
    weight: str = "400",
    anchor: str = "middle",
) -> str:
    # A text that was cut fills its box whatever the font: wide letters must not stand out of it.
    squeezed = f' textLength="{_TEXT_WIDTH:g}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" '
        f'fill="{colour}" text-anchor="{anchor}"{squeezed if text.endswith("…") else ""}>'
        f"{escape(text)}</text>\n"
    )


def _path(d: str, colour: str, marker: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes} '
        f'marker-end="url(#{marker})"/>\n'
    )
