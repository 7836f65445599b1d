"""A token's waveform with its phones above, as a small SVG."""

from __future__ import annotations

from markupsafe import Markup, escape

from layerstats.report.sounds import TokenSound

WIDTH, HEIGHT, TOP = 280.0, 74.0, 18.0
# Of letters of 11 pixels; labels that have less room stand in the list of phones only.
LETTER = 6.2


def draw_waveform(heard: TokenSound) -> Markup:
    """Draw a waveform, boundaries of phones and their labels, and say so for those who do not see it.

    Examples
    --------
    >>> picture = draw_waveform(TokenSound("a", "ask", "f1", "", duration_s=0.5, low=(-100, -20), high=(90, 30)))
    >>> "Waveform of ask by f1, 0.50 s" in picture
    True
    """
    middle, half = TOP + (HEIGHT - TOP) / 2, (HEIGHT - TOP) / 2 - 1
    step = WIDTH / max(1, len(heard.low))
    above = [f"{(place + 0.5) * step:.1f},{middle - half * value / 100:.1f}" for place, value in enumerate(heard.high)]
    below = [f"{(place + 0.5) * step:.1f},{middle - half * value / 100:.1f}" for place, value in enumerate(heard.low)]
    parts = [f'<polygon class="wave" points="{" ".join([*above, *reversed(below)])}"/>']
    scale = WIDTH / heard.duration_s if heard.duration_s else 0.0
    for label, begin, end, marked in heard.phones:
        left, right = begin * scale, end * scale
        if marked:
            parts.insert(
                0, f'<rect class="marked" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{HEIGHT:g}"/>'
            )
        parts += [f'<line class="boundary" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT:g}"/>' for x in (left, right)]
        if right - left >= LETTER * len(label):
            parts.append(f'<text x="{(left + right) / 2:.1f}" y="12">{escape(label)}</text>')
    size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
    drawn = Markup("".join(parts))  # numbers, and labels that were escaped
    return Markup('<svg class="waveform" role="img" aria-label="{}" ' + size + ">{}</svg>").format(said(heard), drawn)


def said(heard: TokenSound) -> str:
    """Say what the picture shows."""
    phones = ", ".join(f"{label}{' (compared)' if marked else ''}" for label, _, _, marked in heard.phones)
    what = f"Waveform of {heard.word} by {heard.speaker}, {heard.duration_s:.2f} s"
    return f"{what}; phones: {phones}" if phones else what
