"""Links, elements and texts that try to run a program in a page, or to fetch something."""

from base64 import b64encode

RUNS = "window.pwned = 1"
FAR = "http://evil.example/"
ATTACKS = f"""</title></style></script></textarea></code></pre>--><script>{RUNS}</script>
<img src="{FAR}x.png" srcset="{FAR}y.png 2x" onerror="{RUNS}"><svg onload="{RUNS}"></svg>
" onmouseover="{RUNS}" onfocus="{RUNS}" autofocus style="background:url({FAR}s)" '
<a href="javascript:{RUNS}">go</a><iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>
{{{{ 7 * 7 }}}}{{% raw %}}<b id="content">"""
LINKS = [
    f"javascript:{RUNS}",
    f"JaVaScRiPt:{RUNS}",
    f" javascript:{RUNS}",
    f"java&#x09;script:{RUNS}",
    f"&#106;avascript:{RUNS}",
    f"vbscript:{RUNS}",
    f"data:text/html,<script>{RUNS}</script>",
    "data:text/html;base64," + b64encode(f"<script>{RUNS}</script>".encode()).decode(),
    f"data:image/svg+xml,<svg onload='{RUNS}'/>",
    "file:///etc/passwd",
]
MARKUP = [
    *(f'<a href="{link}">go</a>' for link in LINKS),
    *(f'<form><button formaction="{link}">go</button></form>' for link in LINKS[:2]),
    f'<math><maction actiontype="statusline" xlink:href="javascript:{RUNS}">x</maction></math>',
    f'<svg><animate onbegin="{RUNS}" attributeName="x"/></svg>',
    f'<svg><a xlink:href="javascript:{RUNS}">x</a></svg>',
    f"<svg><foreignObject><script>{RUNS}</script></foreignObject></svg>",
    f'<object data="{FAR}o"></object><embed src="{FAR}e"><applet code="{FAR}a"></applet>',
    f'<video src="{FAR}v" poster="{FAR}p" onerror="{RUNS}"></video><audio src="{FAR}a"></audio>',
    f'<img src="{FAR}i"><img src="//evil.example/i"><img srcset="{FAR}i">',
    f'<picture><source srcset="{FAR}i"></picture>',
    f'<link rel="prefetch" href="{FAR}l"><link rel="dns-prefetch" href="//evil.example">',
    f'<meta http-equiv="refresh" content="0;url={FAR}"><base href="{FAR}">',
    f'<div style="background:url({FAR}c);position:fixed;inset:0">d</div>',
    f"<style>@import '{FAR}s'; * {{ background: url({FAR}t) }}</style>",
    f'<table background="{FAR}b"><tr><td background="{FAR}b">kept</td></tr></table>',
    f'<details open ontoggle="{RUNS}"><summary onclick="{RUNS}">s</summary></details>',
    f'<a href="https://example.org" ping="{FAR}p" target="_blank">fine</a>',
    f'<noscript><p title="</noscript><img src=x onerror={RUNS}>"></noscript>',
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUNS}>",
    f'<div class="living" data-decoder="{{}}"><img src="{FAR}d"></div>',
]
