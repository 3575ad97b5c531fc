"""``bench.html``: the ratios as bars against what is to be reached, and how the cost grows.

The page is a notebook of text cells put through the report's own exporter, so that style,
policy, sanitising and the demand for alt texts are the report's.
"""

import io
from base64 import b64encode

from nbformat import v4

from ae_lab import plotting
from ae_lab.report.render.exporter import ReportExporter
from ae_lab.upkeep.bench.growth import Series
from ae_lab.upkeep.bench.rows import ROWS
from ae_lab.upkeep.bench.timing import Result

TITLES = {row.name: row.title for row in ROWS}
DOTS = 160  # an inch: twice a screen's


def bench_page(
    facts: dict[str, str], results: list[Result], growth: list[Series], left_out: list[str]
) -> str:
    """All that a run brought as HTML that needs nothing else; what is empty is not shown."""
    cells = [_introduction(facts)]
    if results:
        cells += [_ratios(results), _table(results)]
    if growth:
        cells.append(_growth(growth))
    if left_out:
        lines = "\n".join(f"- {_plain(line)}" for line in left_out)
        cells.append(v4.new_markdown_cell(f"## Left out\n\n{lines}"))
    for number, cell in enumerate(cells):
        cell.id = f"bench-{number}"
    resources = {"metadata": {"name": "bench", "path": ""}}
    return ReportExporter().from_notebook_node(v4.new_notebook(cells=cells), resources)[0]


def _introduction(facts):
    rows = "\n".join(f"| {key} | {_plain(value)} |" for key, value in facts.items())
    return v4.new_markdown_cell(
        "# Speed, side by side\n\n"
        "Each row is one piece of work, done by ae_lab and by what one would use in its place: "
        "the same sizes, batches, precision and threads, each side in a process of its own, in "
        "turn; an epoch is timed after another one that is not. A time is a median. A ratio is the "
        "other's time over ours, the median over neighbouring timings, and its spread their middle "
        "half. A ratio whose spread covers "
        f"1 is not called.\n\n| measured on | |\n|---|---|\n{rows}"
    )


def _ratios(results):
    fig, ax = plotting.figure(height=1.2 + 0.42 * len(results))
    y = range(len(results))[::-1]
    ratios = [result.ratio for result in results]
    spread = [
        [result.ratio - result.low for result in results],
        [result.high - result.ratio for result in results],
    ]
    colours = [_colour(result) for result in results]
    ax.barh(y, [r - 1 for r in ratios], left=1, height=0.6, color=colours, alpha=0.75)
    ax.errorbar(ratios, y, xerr=spread, fmt="none", ecolor="black", capsize=3, lw=1.2)
    reach = [result.reach for result in results]
    ax.plot(reach, y, "D", color="black", markerfacecolor="white", label="to be reached")
    ax.axvline(1, color=plotting.GREY, lw=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks(y, [f"{result.row}: {result.against}" for result in results], size=8.5)
    ax.set_xlabel("other over ours, logarithmic: to the right of 1 we are faster (or smaller)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    said = "; ".join(f"{r.row} against {r.against} {r.ratio:.2f}, {r.verdict}" for r in results)
    text = "## Ratios\n\nBlue: reached; orange: missed; grey: not called. Whiskers: the spread."
    return _figure(text, fig, f"One bar a row, its ratio against its limit: {said}.")


def _colour(result) -> str:
    if result.reached is None:
        return plotting.GREY
    return plotting.COLOURS[0 if result.reached else 1]


def _table(results):
    head = (
        "| row | against | ours | other | ratio | spread | reach | verdict | loss, ours / other |"
    )
    rows = "\n".join(_table_row(result) for result in results)
    return v4.new_markdown_cell(
        f"## Figures\n\n{head}\n|---|---|--:|--:|--:|--:|--:|---|--:|\n{rows}"
    )


def _table_row(r) -> str:
    losses = [f"{loss:.4g}" if loss is not None else "–" for loss in (r.ours_loss, r.other_loss)]
    cells = (
        TITLES.get(r.row, r.row),
        r.against,
        f"{r.ours_s:.3g}\u00a0{r.unit}",
        f"{r.other_s:.3g}\u00a0{r.unit}",
        f"{r.ratio:.2f}",
        f"{r.low:.2f} to {r.high:.2f}" if r.low < r.high else "timed once",
        f"{r.reach:.2f}",
        r.verdict,
        " / ".join(losses) if r.ours_loss is not None else "",
    )
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _growth(growth):
    fig, axes = plotting.figure(1, len(growth), height=3, sharey=True)
    for i, (ax, series) in enumerate(zip(axes, growth, strict=True)):
        ax.plot(series.sizes, series.seconds, color=plotting.COLOURS[i], marker=plotting.MARKERS[i])
        usual = [series.seconds[-1] * n / series.sizes[-1] for n in series.sizes]
        ax.plot(series.sizes, usual, color=plotting.GREY, linestyle="--", lw=1.2)
        ax.set(xlabel=series.label, xscale="log", yscale="log")
        ax.set_xticks(series.sizes, [f"{n:,}" for n in series.sizes], size=8)
        ax.minorticks_off()
    axes[0].set_ylabel("seconds an epoch")
    axes[0].yaxis.set_major_formatter("{x:g}")
    said = "; ".join(
        f"{s.label} "
        + ", ".join(f"{n:,}: {t:.3g} s" for n, t in zip(s.sizes, s.seconds, strict=True))
        for s in growth
    )
    text = (
        "## How the cost grows\n\nAn epoch of 784-32-784 when one thing grows and the others "
        "stay. Dashed: in proportion, through the last point."
    )
    return _figure(text, fig, f"Seconds an epoch, logarithmic both ways. {said}.")


def _figure(text: str, fig, alt: str):
    from matplotlib import pyplot

    drawn = io.BytesIO()
    fig.savefig(drawn, format="png", dpi=DOTS, bbox_inches="tight", facecolor="white")
    pyplot.close(fig)
    cell = v4.new_markdown_cell(f"{text}\n\n![{_plain(alt)}](attachment:figure.png)")
    cell.attachments = {"figure.png": {"image/png": b64encode(drawn.getvalue()).decode()}}
    return cell


def _plain(text: str) -> str:
    """Text that markdown takes as it is."""
    for mark in "\\`*_[]<>|$":
        text = text.replace(mark, f"&#{ord(mark)};")
    return text
