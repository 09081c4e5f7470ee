"""Bars as an SVG that is readable on a light and on a dark page."""

from html import escape

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 760, 130, 190, 48, 30, 18
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.bar{fill:#8c959f}.own{fill:#1f6feb}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.own{fill:#58a6ff}}"""


def draw(bars, title):
    """One bar for each of `(name, rows a second, bytes at the peak)`; the first is the one that the others are compared with."""
    height = TOP + STEP * len(bars) + 8
    most = max(rate for _, rate, _ in bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
    ]
    for place, (name, rate, peak) in enumerate(bars):
        top = TOP + STEP * place
        length = max((WIDTH - LEFT - RIGHT) * rate / most, 1)
        middle = top + BAR - 5
        kind = "own" if place == 0 else "bar"
        said = f"{rate / 1e6:.2f} M rows/s · {peak / 1e6:,.0f} MB"
        parts.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3"/>')
        parts.append(f'<text x="{LEFT + length + 8:.1f}" y="{middle}">{escape(said)}</text>')
    return "\n".join([*parts, "</svg>", ""])
