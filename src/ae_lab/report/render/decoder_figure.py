"""The one figure that moves: a decoder in the page, computed by a script known by its hash."""

import json
from html import escape

OPENING = '<div class="living" data-decoder='  # no output of a kernel can hold it unescaped
CONTROLS = """<div class="live" hidden>
<canvas class="plane" width="392" height="392" tabindex="0" role="application"
 aria-label="The plane of the two latents; arrow keys move the point"></canvas>
<div><canvas class="digit" role="img" aria-label="The image decoded at the point"></canvas>
<p class="where" aria-live="polite"></p>
<p class="note">Move the pointer or a finger over the plane, or focus it and press the arrow
keys: the image above is decoded on this page, with the model’s own weights.</p></div>
</div>"""


def living_figure(decoder: dict, figure: str) -> str:
    """The still figure (HTML), and controls that take its place where the script may run.

    The decoder, from ``lab.portable.portable_decoder``, becomes an attribute, never markup or code.
    """
    packed = escape(json.dumps(decoder, sort_keys=True, separators=(",", ":")))
    return f'{OPENING}"{packed}">{figure}{CONTROLS}</div>'
